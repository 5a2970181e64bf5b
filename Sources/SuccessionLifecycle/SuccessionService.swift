// SPDX-License-Identifier: Apache-2.0

#if ServiceLifecycle
public import ServiceLifecycle
public import Succession

/// Has a generation become ready, serve and leave together with a service group.
///
/// ``ServiceLifecycle/ServiceGroupConfiguration/serve(_:whenReady:)`` adds it, and what belongs to
/// it. An author who adds it by hand lists it last, for a group tells its services to shut down from the
/// last to the first, and with `successTerminationBehavior: .gracefullyShutdownGroup`. Its other
/// services must then not return before they are told to, and nobody waits for connections.
public struct SuccessionService: Service, CustomStringConvertible {
    private let generation: Generation
    private let whenReady: @Sendable () async throws -> Void

    /// `whenReady` returns when the server is built, and throws if it cannot be: the group then
    /// ends, and a predecessor serves on and is told the error.
    public init(
        _ generation: Generation, whenReady: @escaping @Sendable () async throws -> Void = {}
    ) {
        self.generation = generation
        self.whenReady = whenReady
    }

    /// Says ``Succession/Generation/ready()``, and returns when the generation begins to drain.
    ///
    /// A graceful shutdown of the group begins a drain, also before the generation was ready; a
    /// cancellation begins one that cuts at once, and is thrown. What `whenReady` and
    /// ``Succession/Generation/ready()`` throw is thrown.
    @concurrent
    public func run() async throws {
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await serve()
            } onGracefulShutdown: {
                Task { await generation.drain() }
            }
        } onCancel: {
            Task { await generation.leaveAtOnce() }
        }
    }

    private func serve() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await built() }
            try await generation.ready()
        } catch {
            // Told to leave before it was ready: that is no error of the group's.
            guard Task.isShuttingDownGracefully, !Task.isCancelled else { throw error }
        }
        await generation.draining()
        try Task.checkCancellation()
    }

    private func built() async throws {
        do {
            try await whenReady()
        } catch {
            if !Task.isCancelled { _ = await generation.refuse("\(error)") }
            throw error
        }
    }

    /// `generation 3 of web`.
    public var description: String { "generation \(generation.number) of \(generation.service)" }
}
#endif
