// SPDX-License-Identifier: Apache-2.0

#if NIO
public import NIOCore
public import Succession

/// Has the application end a connection in the way of its own protocol when the generation drains.
///
/// An application that closes the channel's output has said all that it had to say: the connection
/// is closed when the client has closed its end, or after a while. What the application does not
/// end is cut by the deadline of the drain.
public final class StreamDrainHandler: ChannelDuplexHandler, RemovableChannelHandler {
    /// Passed on as it is.
    public typealias InboundIn = Never
    /// Passed on as it is.
    public typealias OutboundIn = Never

    private let generation: Generation
    private let name: String?
    private let moment: DrainMoment
    private let end: (any Channel) -> Void
    private let lingering: LingeringClose
    private var entry: ConnectionRegistry.Entry?
    private var hook: DrainHook?
    /// Told to end before the connection was set up.
    private var isDue = false
    private var hasBeenTold = false

    /// A handler for one connection of a generation.
    ///
    /// - Parameter name: what `swapctl status` shows the connection to speak; nil: what it listens
    ///   on, such as `tcp`.
    /// - Parameter moment: when in the drain the application is told.
    /// - Parameter lingerTime: how long the client may take to close its end when the application
    ///   has closed the output.
    /// - Parameter end: called once on the event loop, unless the connection is over by then. It
    ///   closes the channel, or its output, when the protocol allows, now or later.
    public init(
        _ generation: Generation, protocol name: String? = nil,
        tells moment: DrainMoment = .beginning, lingerTime: TimeAmount = .seconds(2),
        end: @escaping (any Channel) -> Void
    ) {
        self.generation = generation
        self.name = name
        self.moment = moment
        self.end = end
        lingering = LingeringClose(lingerTime)
    }

    /// Asks to be told.
    public func handlerAdded(context: ChannelHandlerContext) {
        guard let counted = try? generation.countedConnection(context.channel) else { return }
        entry = counted.entry
        if let name { counted.entry.setProtocol(name) }
        hook = DrainHook(counted.entry, moment, on: context.eventLoop) { [weak self, end] in
            self?.hasBeenTold = true
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

    /// Gives the client its time when the application has ended its side.
    public func close(
        context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?
    ) {
        guard hasBeenTold, mode != .input else {
            return context.close(mode: mode, promise: promise)
        }
        if mode == .all {
            // TLS waits for the client.
            if context.channel.isActive { lingering.wait(context, entry) }
            return context.close(mode: mode, promise: promise)
        }
        let closed = context.eventLoop.makePromise(of: Void.self)
        closed.futureResult.cascade(to: promise)
        closed.futureResult.assumeIsolated().whenSuccess { [self] in
            if context.channel.isActive { lingering.wait(context, entry) }
        }
        context.close(mode: .output, promise: closed)
    }

    /// The connection is closed.
    public func channelInactive(context: ChannelHandlerContext) {
        lingering.cancel()
        context.fireChannelInactive()
    }

    /// Nothing of this handler stays behind.
    public func handlerRemoved(context: ChannelHandlerContext) {
        hook?.cancel()
        lingering.cancel()
    }
}
#endif
