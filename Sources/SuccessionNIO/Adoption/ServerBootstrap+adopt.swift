// SPDX-License-Identifier: Apache-2.0

#if NIO
public import NIOCore
public import NIOPosix
public import Succession
import SuccessionSystem

extension ServerBootstrap {
    /// Makes a server channel of a generation's stream listener.
    ///
    /// Connections are set up by the bootstrap's own `childChannelInitializer`. The channel takes
    /// none before the generation's turn, and whether it reads is the generation's affair from then
    /// on: this bootstrap's `autoRead` is turned off for good, so use another one for listeners
    /// that are not adopted. Call it before ``Generation/ready()``.
    ///
    /// Each connection counts in ``Generation/connections`` from the moment it is taken, as one of
    /// `protocol` (nil: the first word of the address), and is closed when the deadline of a drain
    /// has passed. When descriptors are used up, clients wait until a connection has been closed.
    /// NIO closes a server channel for other errors of accept(2), which may pass all the same: then
    /// another one is made in its place, and the one that was returned stays closed. The channel owns a duplicate of the descriptor; closing it does not disturb other
    /// generations. Do not send it a quiescing event: that closes connections which the generation
    /// still owes an answer.
    public func adopt(
        _ listener: Listener, of generation: Generation, protocol proto: String? = nil
    ) async throws -> any Channel {
        // Sound: nothing of it is changed from here on, and NIO reads it on any thread.
        nonisolated(unsafe) let bootstrap = serverChannelOption(.autoRead, value: false)
        let open = { @Sendable () throws -> EventLoopFuture<any Channel> in
            let descriptor = try listener.duplicate(for: .stream, mustListen: true)
            defer { listener.restoreBacklog() }
            return bootstrap.withBoundSocket(descriptor)
        }
        let (connections, kind) = (generation.connections, proto ?? listener.kind)
        let (channel, acceptor) = try await open().adopted { channel in
            try AdoptedListener(channel, listener, connections: connections, protocol: kind) {
                try await open().get()
            }
        }
        listener.attach(prompt: acceptor)
        return channel
    }
}
#endif
