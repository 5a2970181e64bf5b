// SPDX-License-Identifier: Apache-2.0

#if NIO
public import NIOCore
public import NIOPosix
public import Succession
import SuccessionSystem

extension DatagramBootstrap {
    /// Makes a channel of a generation's datagram socket.
    ///
    /// The channel reads nothing before the generation's turn, and whether it reads is the
    /// generation's affair from then on: this bootstrap's `autoRead` is turned off for good.
    /// Datagrams that were read go through the pipeline before the successor reads its first. The
    /// channel can send until the generation has drained: work on a datagram that takes time should
    /// count as a connection (``ConnectionRegistry/register(peer:protocol:cut:)``), so that the drain
    /// waits for it. Call it before ``Generation/ready()``.
    public func adopt(
        _ listener: Listener, of generation: Generation
    ) async throws -> any Channel {
        let descriptor = try listener.duplicate(for: .datagram, mustListen: false)
        let adoption = channelOption(.autoRead, value: false).withBoundSocket(descriptor)
        let (channel, acceptor) = try await adoption.adopted { channel in
            try AdoptedInput(channel, listener, of: generation)
        }
        listener.attach(prompt: acceptor)
        return channel
    }
}
#endif
