// SPDX-License-Identifier: Apache-2.0

#if NIO
public import NIOCore
public import Succession

/// Ends HTTP/2 connections without losing a request while their generation drains.
///
/// The client is sent a GOAWAY that refuses nothing and a PING; requests that it opens before it
/// has read them are answered as ever. When it has acknowledged the PING it knows. When after that
/// no stream is open any more, a second GOAWAY names the last one (RFC 9113 §6.8) and the connection
/// is closed: a client that opened yet another may repeat it, for nobody has seen it. Named earlier,
/// the last stream could be followed by one that is answered, and repeated all the same (grpc-core
/// writes streams behind its acknowledgement). From a client that does not acknowledge, or has not
/// even sent its preface, the second GOAWAY and the close come in the second half of the drain, as
/// soon as no stream is open.
///
/// This happens below the HTTP/2 implementation, between its bytes and the network's, because
/// swift-nio-http2 refuses every new stream from the first GOAWAY on that it sends itself
/// (swift-nio-http2#466): that is why this handler needs no such package, and works with any. Do
/// not have the implementation quiesce the connection as well: a GOAWAY may not raise the last
/// stream of an earlier one. To a connection to which the implementation has said goodbye, before
/// the drain or in it, nothing more is said; it is closed when the streams are over that were not
/// refused.
///
/// With `allowRemoteHalfClosure`, a child channel's option that SwiftNIO leaves off, a client that
/// shuts down writing behind its requests gets their answers; this handler closes behind them.
///
/// Belongs right before the HTTP/2 handler, behind TLS.
public final class HTTP2DrainHandler: ChannelDuplexHandler {
    /// Frames, as bytes.
    public typealias InboundIn = ByteBuffer
    /// Frames, as bytes.
    public typealias InboundOut = ByteBuffer
    /// Frames, as bytes.
    public typealias OutboundIn = IOData
    /// Frames, as bytes.
    public typealias OutboundOut = IOData

    private enum Phase {
        case serving
        /// To be said as soon as a frame may be put in.
        case announcing
        /// The client has not acknowledged yet.
        case announced
        /// The client knows; streams are finishing.
        case concluding
        /// What it opens now is not heard.
        case concluded
        case over
    }

    private let generation: Generation
    private let proto: String
    private let moment: DrainMoment
    private let patience: DrainMoment
    private let lingering: LingeringClose
    private let pingData = UInt64.random(in: .min ... .max)
    private var entry: ConnectionRegistry.Entry?
    private var hooks: [DrainHook] = []
    private var phase = Phase.serving
    private var inbound = HTTP2FrameScanner(skipping: HTTP2FrameScanner.prefaceLength)
    private var outbound = HTTP2FrameScanner()
    private var streams = HTTP2OpenStreams()
    private var hasSentSettings = false
    /// The last stream that the implementation's GOAWAY names.
    private var named: UInt32?
    /// The client has had the time to acknowledge.
    private var patienceIsOver = false
    private var hasReceived = false
    private var inputIsClosed = false
    private var unfinishedWrites = 0

    /// A handler for one connection of a generation.
    ///
    /// - Parameter proto: how the connection is shown.
    /// - Parameter moment: when in the drain the client is told to go.
    /// - Parameter patience: until when a client may take to acknowledge that; from then on a
    ///   connection is closed that has no stream.
    /// - Parameter lingerTime: how long a client may take to close its end after the last response.
    public init(
        _ generation: Generation, shownAs proto: String = "h2",
        tells moment: DrainMoment = .beginning,
        waits patience: DrainMoment = .spread(0.5...0.9), lingerTime: TimeAmount = .seconds(2)
    ) {
        self.generation = generation
        self.proto = proto
        self.moment = moment
        self.patience = patience
        lingering = LingeringClose(lingerTime)
    }

    /// The connection is shown by its protocol.
    public func handlerAdded(context: ChannelHandlerContext) {
        guard let counted = try? generation.countedConnection(context.channel) else { return }
        let entry = counted.entry
        entry.setProtocol(proto)
        self.entry = entry
        hooks = [
            DrainHook(entry, moment, on: context.eventLoop) { [weak self] in
                guard let self, phase == .serving else { return }
                phase = .announcing
                proceed(context)
            },
            DrainHook(entry, patience, on: context.eventLoop) { [weak self] in
                self?.patienceIsOver = true
                self?.endSilence(context)
                self?.proceed(context)
            },
        ]
    }

    /// Nothing of this handler stays behind.
    public func handlerRemoved(context: ChannelHandlerContext) {
        for hook in hooks { hook.cancel() }
        lingering.cancel()
    }

    /// The connection is closed.
    public func channelInactive(context: ChannelHandlerContext) {
        lingering.cancel()
        context.fireChannelInactive()
    }

    /// Watches what the client opens and acknowledges.
    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if phase == .concluded || phase == .over { return }
        hasReceived = true
        inbound.scan(unwrapInboundIn(data).readableBytesView) { frame in
            streams.received(frame)
            if phase == .announced, frame.kind == HTTP2FrameScanner.Kind.ping,
                frame.has(HTTP2FrameScanner.Flag.acknowledgement), frame.payload == pingData
            {
                phase = .concluding
            }
        }
        context.fireChannelRead(data)
        proceed(context)
    }

    /// The client has shut down writing: what it has asked for is answered.
    public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent {
            inputIsClosed = true
            streams.clientEnds()
        }
        context.fireUserInboundEventTriggered(event)
        if inputIsClosed { endWithTheInput(context) }
    }

    /// Watches what is answered, and whether the implementation says goodbye.
    public func write(
        context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
    ) {
        if phase == .over {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        switch unwrapOutboundIn(data) {
        case .byteBuffer(let bytes): outbound.scan(bytes.readableBytesView, noteSent)
        case .fileRegion(let region): outbound.skip(region.readableBytes, noteSent)
        }
        if phase == .serving && !inputIsClosed { return context.write(data, promise: promise) }
        context.write(data, promise: unfinishedWrite(context, for: promise))
    }

    private func noteSent(_ frame: HTTP2FrameScanner.Frame) {
        hasSentSettings = true
        streams.sent(frame)
        guard frame.kind == HTTP2FrameScanner.Kind.goAway else { return }
        let last = min(named ?? .max, UInt32(truncatingIfNeeded: frame.payload >> 32) & .lastStream)
        named = last
        if last == .lastStream { return }
        streams.refuse(after: last)
        // What it opens from now on is refused, whether it knows or not.
        if phase == .announced { phase = .concluding }
    }

    /// Does the next step if its time has come.
    private func proceed(_ context: ChannelHandlerContext) {
        switch phase {
        case .announcing where hasSentSettings && outbound.isBetweenFrames:
            if let named, named < .lastStream {
                phase = .concluding
                return proceed(context)
            }
            phase = .announced
            // A second one would say nothing new.
            if named == nil { send(.goAway(lastStream: .lastStream), context) }
            send(.ping(pingData), context)
        case .announced where patienceIsOver && streams.isEmpty:
            phase = .concluding
            proceed(context)
        case .concluding
        where streams.isEmpty && unfinishedWrites == 0 && outbound.isBetweenFrames:
            phase = .concluded
            if let named, named < .lastStream { return proceed(context) }
            send(.goAway(lastStream: streams.lastOfClient), context)
        case .concluded where unfinishedWrites == 0: end(context)
        case .serving, .announcing, .announced, .concluding, .concluded, .over:
            if inputIsClosed { endWithTheInput(context) }
        }
    }

    /// Ends a connection on which the client has sent nothing at all.
    private func endSilence(_ context: ChannelHandlerContext) {
        guard !hasReceived else { return }
        let isAnnounced = phase == .announced
        guard isAnnounced || phase == .announcing else { return }
        phase = .over
        if isAnnounced { send(.goAway(lastStream: 0), context) }
        // Not behind what was said: that may wait for a handshake that never ends.
        end(context)
    }

    /// Ends the connection when everything is answered that the client had asked for.
    private func endWithTheInput(_ context: ChannelHandlerContext) {
        switch phase {
        case .concluded, .over: return
        case .serving, .announcing, .announced, .concluding: break
        }
        guard streams.isEmpty, unfinishedWrites == 0, outbound.isBetweenFrames else { return }
        phase = .concluded
        // NIO would drop what is not written yet; an empty write comes behind it.
        let written = unfinishedWrite(context, for: nil)
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(ByteBuffer())), promise: written)
    }

    private func end(_ context: ChannelHandlerContext) {
        phase = .over
        lingering.begin(context, entry, owes: hasReceived, waits: !inputIsClosed)
    }

    private func send(_ frame: HTTP2ControlFrame, _ context: ChannelHandlerContext) {
        let written = unfinishedWrite(context, for: nil)
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(frame.bytes)), promise: written)
    }

    private func unfinishedWrite(
        _ context: ChannelHandlerContext, for promise: EventLoopPromise<Void>?
    ) -> EventLoopPromise<Void> {
        unfinishedWrites += 1
        return context.promise(for: promise) { [self] in
            unfinishedWrites -= 1
            proceed(context)
        }
    }
}

extension UInt32 {
    /// The highest there can be: a GOAWAY that names it refuses nothing.
    fileprivate static let lastStream: UInt32 = 0x7fff_ffff
}

/// The two frames that announce the end of a connection.
private enum HTTP2ControlFrame {
    /// Without an error.
    case goAway(lastStream: UInt32)
    case ping(UInt64)

    var bytes: ByteBuffer {
        var buffer = ByteBuffer()
        // A length of 8 in 24 bits, the kind, no flags, and stream 0.
        buffer.writeBytes([0, 0, 8])
        switch self {
        case .goAway(let lastStream):
            buffer.writeBytes([HTTP2FrameScanner.Kind.goAway, 0, 0, 0, 0, 0])
            buffer.writeInteger(lastStream & .lastStream)
            buffer.writeInteger(0, as: UInt32.self)
        case .ping(let data):
            buffer.writeBytes([HTTP2FrameScanner.Kind.ping, 0, 0, 0, 0, 0])
            buffer.writeInteger(data)
        }
        return buffer
    }
}
#endif
