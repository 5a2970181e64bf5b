// SPDX-License-Identifier: Apache-2.0

public import Hummingbird
import NIOCore
import NIOPosix
public import ServiceLifecycle
public import Succession
import SuccessionNIO

/// A Hummingbird application on the listeners of a generation.
///
/// The application is run as it is, with its server, its services and its configuration, apart from
/// the address. It is told to shut down when its generation has drained, and not before: its server
/// would close connections that are still owed an answer. A graceful shutdown of the surrounding
/// `ServiceGroup` begins a drain. In such a group the application returns when the generation has
/// drained: give it `successTerminationBehavior: .gracefullyShutdownGroup`, or the group ends with
/// an error.
public struct AdoptedApplication<Base: ApplicationProtocol>: Service {
    private let base: Base
    private let listeners: [Listener]
    private let generation: Generation
    private let whenRunning: @Sendable () async throws -> Void

    /// An application that is to serve on these listeners.
    ///
    /// - Parameter whenRunning: called when the application's services and its server run and the
    ///   listeners are adopted; nil: ``Generation/ready()`` is called. Several servers in one
    ///   process are ready together.
    public init(
        _ base: Base, on listeners: [Listener], of generation: Generation,
        whenRunning: (@Sendable () async throws -> Void)? = nil
    ) {
        self.base = base
        self.listeners = listeners
        self.generation = generation
        self.whenRunning = whenRunning ?? { try await generation.ready() }
    }

    /// Runs the application; returns when its generation has drained and its services have ended.
    ///
    /// Throws what the application throws, and what ``Generation/ready()`` does.
    @concurrent
    public func run() async throws {
        let (servers, server) = AsyncStream.makeStream(of: (any Channel).self)
        let application = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [HostedApplication(base) { server.yield($0) }], logger: base.logger))
        // Detached: a graceful shutdown from outside must reach the application by way of the
        // drain.
        let running = Task.detached {
            defer { server.finish() }
            try await application.run()
        }
        let leaving = Task {
            await generation.drained()
            await application.triggerGracefulShutdown()
        }
        defer { leaving.cancel() }
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                do {
                    for await server in servers { try await serve(through: server) }
                } catch {
                    await application.triggerGracefulShutdown()
                    _ = await running.result
                    throw error
                }
                try await running.value
            } onGracefulShutdown: {
                Task { await generation.drain() }
            }
        } onCancel: {
            running.cancel()
        }
    }

    private func serve(through server: any Channel) async throws {
        let hosting = try await ApplicationServer(
            server, of: generation,
            limitsConnections: base.configuration.availableConnectionsDelegate != nil)
        var adopted: [any Channel] = []
        for listener in listeners {
            let channel = try await ServerBootstrap(group: base.eventLoopGroup)
                .adopt(listener, of: generation)
            try await hosting.takeConnections(of: channel)
            adopted.append(channel)
        }
        try await whenRunning()
        if let first = adopted.first { await base.onServerRunning(first) }
    }
}
