// SPDX-License-Identifier: Apache-2.0

#if NIO
public import NIOCore
public import NIOPosix
public import Succession
import SuccessionSystem

extension ServerBootstrap {
    /// Makes a server channel of a generation's stream listener, for use from tasks.
    ///
    /// Like the other `adopt`, but its connections come, initialised, as a sequence. The sequence
    /// ends when the generation has stopped accepting, after the connections that were taken
    /// before: go on reading until then, or they are lost. When descriptors are used up, clients wait
    /// until a connection has been closed; for other errors of accept(2) NIO closes the channel, and
    /// the sequence throws: leave then, so that another process is started.
    ///
    /// ```swift
    /// let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
    ///     .adopt(listener, of: generation) { channel in … }
    /// try await generation.ready()
    /// try await server.executeThenClose { connections in
    ///     for try await connection in connections { … }
    /// }
    /// await generation.drained()
    /// ```
    ///
    /// Throws if the descriptor is no listener. A connection whose initialiser fails is closed.
    @concurrent
    public func adopt<Output: Sendable>(
        _ listener: Listener, of generation: Generation, protocol proto: String? = nil,
        backPressure: NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark? = nil,
        childChannelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> NIOAsyncChannel<Output, Never> {
        let descriptor = try listener.duplicate(for: .stream, mustListen: true)
        let server = try await serverChannelOption(.autoRead, value: false).bind(
            descriptor, serverBackPressureStrategy: backPressure
        ) { connection in
            childChannelInitializer(connection).flatMapErrorThrowing { error in
                // NIO leaves that to the initialiser.
                connection.close(promise: nil)
                throw error
            }
        }
        listener.restoreBacklog()
        let (connections, kind) = (generation.connections, proto ?? listener.kind)
        do {
            let acceptor = try await server.channel.eventLoop.submit {
                try AdoptedListener(
                    server.channel, listener, connections: connections, protocol: kind)
            }.get()
            listener.attach(prompt: acceptor)
        } catch {
            // It may not be let go of without having been executed.
            try? await server.executeThenClose { _ in }
            throw error
        }
        return server
    }
}
#endif
