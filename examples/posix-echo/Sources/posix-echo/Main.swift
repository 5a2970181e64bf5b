// SPDX-License-Identifier: Apache-2.0

@preconcurrency import Glibc  // its stderr is a variable
import Succession

@main
enum Main {
    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, arguments[1] == "--service", arguments[3] == "--listen" else {
            fputs("usage: posix-echo --service NAME --listen tcp:127.0.0.1:7777\n", stderr)
            exit(64)
        }
        do {
            try await serve(arguments[2], at: ListenAddress(arguments[4]))
        } catch {
            fputs("posix-echo: \(error)\n", stderr)
            exit(1)
        }
    }

    static func serve(_ service: String, at address: ListenAddress) async throws {
        var configuration = GenerationConfiguration()
        configuration.exitGrace = .seconds(5)
        try await Generation.run(service, configuration: configuration) { generation in
            let listener = try generation.listener("echo", orBind: address)
            try await generation.ready()
            try await withThrowingDiscardingTaskGroup { connections in
                while let connection = try await listener.accept() {
                    // A lost client is no error.
                    connections.addTask { try? await echo(connection) }
                }
            }
        }
    }

    static func echo(_ connection: Connection) async throws {
        try await connection.write(Array("gen=\(getpid())\n".utf8))
        while case let bytes = try await connection.read(), !bytes.isEmpty {
            try await connection.write(bytes)
        }
    }
}
