// SPDX-License-Identifier: Apache-2.0

#if NIO
public import NIOCore
public import Succession

/// Ends connections that have not come to speak the protocol of their application while their
/// generation drains: those on which the TLS handshake has not begun, or has stopped.
///
/// Nobody is owed an answer on such a connection, and no other handler knows it yet. It is closed
/// at a moment of its own in the second half of the drain. When the first bytes come out of TLS, or
/// another drain handler is added to the pipeline, this one goes.
///
/// Belongs right behind the TLS handler, before what agrees on a protocol.
public final class HandshakeDrainHandler: ChannelInboundHandler, RemovableChannelHandler {
    /// Passed on as it is.
    public typealias InboundIn = ByteBuffer

    private let generation: Generation
    private let moment: DrainMoment
    private var hook: DrainHook?

    /// A handler for one connection of a generation.
    ///
    /// - Parameter moment: when in the drain the connection is closed.
    public init(_ generation: Generation, closes moment: DrainMoment = .spread(0.5...0.9)) {
        self.generation = generation
        self.moment = moment
    }

    /// The connection is shown as `tls`.
    public func handlerAdded(context: ChannelHandlerContext) {
        guard let counted = try? generation.countedConnection(context.channel) else { return }
        let entry = counted.entry
        entry.setProtocol("tls")
        hook = DrainHook(entry, moment, on: context.eventLoop) {
            entry.settled()
            // TLS would wait for a client that has nothing to say.
            context.channel.cut()
        }
        counted.whenItsProtocolIsKnown { [weak self] in self?.leave(context) }
    }

    /// The handshake is over.
    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireChannelRead(data)
        leave(context)
    }

    /// Nothing of this handler stays behind.
    public func handlerRemoved(context: ChannelHandlerContext) {
        hook?.cancel()
    }

    private func leave(_ context: ChannelHandlerContext) {
        guard hook != nil else { return }
        hook?.cancel()
        hook = nil
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
#endif
