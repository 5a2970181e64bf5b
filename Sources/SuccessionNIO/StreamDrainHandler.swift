// SPDX-License-Identifier: Apache-2.0

#if NIO
public import NIOCore
public import Succession

/// Has the application end a connection in the way of its own protocol when the generation drains.
///
/// What the application does not end is closed by the deadline of the drain.
public final class StreamDrainHandler: ChannelInboundHandler, RemovableChannelHandler {
    /// Passed on as it is.
    public typealias InboundIn = Never

    private let generation: Generation
    private let name: String?
    private let moment: DrainMoment
    private let end: (any Channel) -> Void
    private var hook: DrainHook?
    /// Told to end before the connection was set up.
    private var isDue = false

    /// A handler for one connection of a generation.
    ///
    /// - Parameter name: what `swapctl status` shows the connection to speak; nil: what it listens
    ///   on, such as `tcp`.
    /// - Parameter moment: when in the drain the application is told.
    /// - Parameter end: called once on the event loop, unless the connection is over by then. It
    ///   closes the channel when the protocol allows, now or later.
    public init(
        _ generation: Generation, protocol name: String? = nil,
        tells moment: DrainMoment = .beginning, end: @escaping (any Channel) -> Void
    ) {
        self.generation = generation
        self.name = name
        self.moment = moment
        self.end = end
    }

    /// Asks to be told.
    public func handlerAdded(context: ChannelHandlerContext) {
        guard let counted = try? generation.countedConnection(context.channel) else { return }
        if let name { counted.entry.speaks(name) }
        hook = DrainHook(counted.entry, moment, on: context.eventLoop) { [weak self, end] in
            if context.channel.isActive { return end(context.channel) }
            self?.isDue = true
        }
    }

    /// The connection is set up.
    public func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        if isDue, context.channel.isActive {
            isDue = false
            end(context.channel)
        }
    }

    /// Nothing of this handler stays behind.
    public func handlerRemoved(context: ChannelHandlerContext) {
        hook?.cancel()
    }
}
#endif
