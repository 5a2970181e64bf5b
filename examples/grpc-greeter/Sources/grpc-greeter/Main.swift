// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import GRPCNIOTransportHTTP2Posix
@preconcurrency import Glibc  // its stderr is a variable
import NIOSSL
import Succession
import SuccessionGRPC

@main
enum Main {
    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count == 5 || arguments.count == 8 && arguments[5] == "--tls",
            arguments[1] == "--service", arguments[3] == "--grpc"
        else {
            fputs(
                """
                usage: grpc-greeter --service NAME --grpc tcp:127.0.0.1:50051 \
                [--tls CERTIFICATE.pem KEY.pem]

                """, stderr)
            exit(64)
        }
        do {
            let tls = arguments.count == 8 ? try context(arguments[6], key: arguments[7]) : nil
            try await serve(arguments[2], at: ListenAddress(arguments[4]), tls: tls)
        } catch {
            fputs("grpc-greeter: \(error)\n", stderr)
            exit(1)
        }
    }

    // snippet serve
    static func serve(
        _ service: String, at address: ListenAddress, tls: NIOSSLContext?
    ) async throws {
        var configuration = GenerationConfiguration()
        configuration.exitGrace = .seconds(5)
        let generation = try await Generation.begin(service, configuration: configuration)
        let listener = try generation.listener("grpc", orBind: address)
        let transport = HTTP2ServerTransport.Adopted(listener, of: generation, tls: tls)
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

    static func context(_ certificate: String, key: String) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map {
                .certificate($0)
            },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
        configuration.applicationProtocols = ["h2"]
        return try NIOSSLContext(configuration: configuration)
    }
}
