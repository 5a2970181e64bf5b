// SPDX-License-Identifier: Apache-2.0

public import FlyingFox
public import FlyingSocks
import Foundation
public import Succession

/// A FlyingFox server behind the listeners of a generation.
///
/// FlyingFox cannot be given a socket. Its server listens on a Unix socket that only this process
/// can reach, and each connection that the generation takes is relayed there and back. Requests
/// carry the address of the client all the same.
public struct AdoptedServer: Sendable {
    private let handler: any HTTPHandler
    private let listeners: [Listener]
    private let generation: Generation
    private let timeout: Duration
    private let logger: any Logging

    /// A server that answers by this handler, usually a `RoutedHTTPHandler`.
    ///
    /// - Parameter timeout: how long the handler may take for a response.
    public init(
        _ handler: any HTTPHandler, on listeners: [Listener], of generation: Generation,
        timeout: Duration = .seconds(15), logger: any Logging = .disabled
    ) {
        self.handler = handler
        self.listeners = listeners
        self.generation = generation
        self.timeout = timeout
        self.logger = logger
    }

    /// Serves; returns when the generation has drained.
    ///
    /// - Parameter whenRunning: called when the server runs; nil: ``Generation/ready()`` is called.
    ///   Several servers in one process are ready together.
    @concurrent
    public func run(whenRunning: (@Sendable () async throws -> Void)? = nil) async throws {
        let place = try PrivateSocketDirectory()
        defer { place.remove() }
        let clients = RelayedClients()
        let pool = HTTPServer.defaultPool()
        let server = HTTPServer(
            address: place.server, timeout: timeout / .seconds(1), pool: pool, logger: logger,
            handler: FrontHandler(handler, clients: clients, generation: generation))
        let relay = ConnectionRelay(to: place, clients: clients, pool: pool)
        try await withThrowingTaskGroup(of: Void.self) { group in
            // Ends by an error only.
            group.addTask { try await server.run() }
            group.addTask {
                try await server.waitUntilListening()
                try await withThrowingDiscardingTaskGroup { connections in
                    for listener in listeners {
                        connections.addTask {
                            try await relay.connections(of: listener)
                        }
                    }
                    if let whenRunning {
                        try await whenRunning()
                    } else {
                        try await generation.ready()
                    }
                }
                await generation.drained()
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
