// SPDX-License-Identifier: Apache-2.0

#if NIO
public import NIOCore
public import NIOWebSocket
public import Succession

/// Ends WebSocket connections with 1012, "service restart", and a reason while their generation
/// drains, so that clients know that they may come back.
///
/// First the application is asked: it may still write, and finishes when its future does. Then a
/// close frame goes out, behind the message that is being written if there is one; when the client
/// has answered it, or has not for a while, the connection is closed; a deadline that comes before
/// does not count as cut who has been sent the close frame. A close that the application or the
/// client has begun is left to the application.
///
/// Belongs behind what the upgrade adds (`NIOWebSocketServerUpgrader`), before the application's
/// handlers.
public final class WebSocketDrainHandler: ChannelDuplexHandler {
    /// Frames.
    public typealias InboundIn = WebSocketFrame
    /// Frames, without the client's answer to this handler's close.
    public typealias InboundOut = WebSocketFrame
    /// Frames.
    public typealias OutboundIn = WebSocketFrame
    /// Frames.
    public typealias OutboundOut = WebSocketFrame

    private enum Phase {
        case open
        /// The application has been asked.
        case preparing
        /// The close frame is to go out behind the message that is being written.
        case closing
        case waitingForAnswer
        /// Or has not for a while: a second answer does not begin the end anew.
        case answered
        /// Closed, or being closed by someone else.
        case over
    }

    private let generation: Generation
    private let reason: String
    private let moment: DrainMoment
    private let answerTime: TimeAmount
    private let prepare: (any Channel) -> EventLoopFuture<Void>
    private let lingering = LingeringClose(.seconds(2))
    private var entry: ConnectionRegistry.Entry?
    private var hook: DrainHook?
    private var unanswered: Scheduled<Void>?
    private var phase = Phase.open
    private var isInMessage = false

    /// A handler for one connection of a generation.
    ///
    /// - Parameter reason: told to the client; at most 123 bytes of it.
    /// - Parameter moment: when in the drain the connection is ended. A server with many of them
    ///   spreads that, or all clients come back at once.
    /// - Parameter answerTime: how long the client may take to answer the close frame.
    /// - Parameter prepare: what the application wants to do before, on the event loop; whether its
    ///   future succeeds does not matter.
    public init(
        _ generation: Generation, reason: String = "service restart",
        tells moment: DrainMoment = .beginning, answerTime: TimeAmount = .seconds(5),
        prepare: @escaping (any Channel) -> EventLoopFuture<Void> = {
            $0.eventLoop.makeSucceededVoidFuture()
        }
    ) {
        self.generation = generation
        self.reason = reason
        self.moment = moment
        self.answerTime = answerTime
        self.prepare = prepare
    }

    /// The connection is shown as `websocket`.
    public func handlerAdded(context: ChannelHandlerContext) {
        guard let counted = try? generation.countedConnection(context.channel) else { return }
        entry = counted.entry
        counted.entry.setProtocol("websocket")
        hook = DrainHook(counted.entry, moment, on: context.eventLoop) { [weak self] in
            guard let self, phase == .open else { return }
            phase = .preparing
            prepare(context.channel).hop(to: context.eventLoop).assumeIsolated().whenComplete {
                [self] _ in
                guard phase == .preparing else { return }
                phase = .closing
                closeBetweenMessages(context)
            }
        }
    }

    /// Nothing of this handler stays behind.
    public func handlerRemoved(context: ChannelHandlerContext) {
        hook?.cancel()
        unanswered?.cancel()
        lingering.cancel()
    }

    /// The connection is closed.
    public func channelInactive(context: ChannelHandlerContext) {
        phase = .over
        unanswered?.cancel()
        lingering.cancel()
        context.fireChannelInactive()
    }

    /// Passes frames on; the answer to this handler's close frame ends the connection.
    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .connectionClose = unwrapInboundIn(data).opcode {
            switch phase {
            case .waitingForAnswer: return finish(context)
            case .answered: return
            case .open, .preparing, .closing, .over: phase = .over
            }
        }
        context.fireChannelRead(data)
    }

    /// Passes frames on, none behind a close frame.
    public func write(
        context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
    ) {
        let frame = unwrapOutboundIn(data)
        if phase == .waitingForAnswer || phase == .answered {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        switch frame.opcode {
        case .connectionClose: phase = .over
        case .text, .binary, .continuation: isInMessage = !frame.fin
        default: break
        }
        context.write(data, promise: promise)
        closeBetweenMessages(context)
    }

    private func closeBetweenMessages(_ context: ChannelHandlerContext) {
        guard phase == .closing, !isInMessage else { return }
        phase = .waitingForAnswer
        var payload = context.channel.allocator.buffer(capacity: 125)
        payload.writeInteger(UInt16(1012))
        payload.writeString(reason.prefix(utf8Length: 123))
        let frame = WebSocketFrame(fin: true, opcode: .connectionClose, data: payload)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.whenSuccess { [entry] in entry?.settled() }
        context.writeAndFlush(wrapOutboundOut(frame), promise: sent)
        unanswered = context.eventLoop.assumeIsolated().scheduleTask(in: answerTime) { [self] in
            finish(context)
        }
    }

    private func finish(_ context: ChannelHandlerContext) {
        guard phase == .waitingForAnswer else { return }
        phase = .answered
        unanswered?.cancel()
        lingering.begin(context, entry)
    }
}

extension String {
    /// As many characters as fit in so many bytes.
    fileprivate func prefix(utf8Length limit: Int) -> String {
        var result = self
        while result.utf8.count > limit { result.removeLast() }
        return result
    }
}
#endif
