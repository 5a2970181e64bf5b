// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import GRPCNIOTransportHTTP2Posix
@preconcurrency import Glibc  // its stderr is a variable
import Succession
import SuccessionGRPC

@main
enum Main {
    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, arguments[1] == "--service", arguments[3] == "--grpc" else {
            fputs("usage: grpc-greeter --service NAME --grpc tcp:127.0.0.1:50051\n", stderr)
            exit(64)
        }
        do {
            try await serve(arguments[2], at: ListenAddress(arguments[4]))
        } catch {
            fputs("grpc-greeter: \(error)\n", stderr)
            exit(1)
        }
    }

    // snippet serve
    static func serve(_ service: String, at address: ListenAddress) async throws {
        let generation = try await Generation.begin(service)
        let listener = try generation.listener("grpc", orBind: address)
        let transport = HTTP2ServerTransport.Adopted(listener, of: generation)
        let server = GRPCServer(
            transport: transport, services: [Greeter(generation: generation.number)])
        try await withThrowingDiscardingTaskGroup { tasks in
            tasks.addTask { try await server.serve() }
            try await transport.listening()
            try await generation.ready()
        }
        await generation.drained()
    }
    // end serve
}
