// SPDX-License-Identifier: Apache-2.0

import Glibc
import ServiceLifecycle
import Succession

/// Says which process it is, then sends back what it gets.
struct EchoService: Service {
    private let listener: Listener

    init(_ listener: Listener) {
        self.listener = listener
    }

    /// Returns when the generation drains and the last connection is over.
    func run() async throws {
        try await withThrowingDiscardingTaskGroup { connections in
            while let connection = try await listener.accept() {
                connections.addTask { try? await echo(connection) }  // A lost client is no error.
            }
        }
    }

    private func echo(_ connection: Connection) async throws {
        try await connection.write(Array("gen=\(getpid())\n".utf8))
        while case let bytes = try await connection.read(), !bytes.isEmpty {
            try await connection.write(bytes)
        }
    }
}
