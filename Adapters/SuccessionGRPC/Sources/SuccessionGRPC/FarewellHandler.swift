// SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import NIOHTTP2
import Succession
import SuccessionNIO

/// Sends a client elsewhere without failing a call that crosses with the message.
///
/// A GOAWAY that NIOHTTP2 is asked to send makes it refuse every stream from then on, also one that
/// the client opened before it could know, and the calls that are under way fail with it
/// (swift-nio-http2#466). So the frame is written past NIOHTTP2, which goes on to accept streams:
/// GOAWAY with the highest stream there can be, which refuses none, and a ping, whose answer says
/// that it was read. A client closes the connection itself when its calls are done. From one that
/// does not, gRPC's own graceful end takes it when no stream has been open for some time: streams
/// may have been in line for sending, and come behind the answer.
///
/// From a client that does not answer the ping, or has not even sent its preface, a second GOAWAY
/// that names the last stream, and the end, come in the second half of the drain, when no stream is
/// open. To a connection that gRPC ends for a reason of its own, its age for instance, nothing more
/// is said: what a GOAWAY says may not be taken back. It is closed when no stream has been open for
/// some time.
///
/// Belongs right after `NIOHTTP2Handler`.
package final class FarewellHandler: ChannelDuplexHandler {
    package typealias InboundIn = HTTP2Frame
    package typealias InboundOut = HTTP2Frame
    package typealias OutboundIn = HTTP2Frame
    package typealias OutboundOut = HTTP2Frame

    private enum Phase {
        case serving
        /// Asked for before the connection was active.
        case due
        case told
        /// The client has read it.
        case understood
        /// gRPC ends the connection.
        case ending
        /// What the client opens now is not heard.
        case over
    }

    private static let pingData = HTTP2PingData(withInteger: 0x7375_6363_6573_736F)

    private let lingerTime: TimeAmount
    private let lingering: LingeringClose
    private var phase = Phase.serving
    private var isDraining = false
    private var patienceIsOver = false
    /// The client has sent its preface.
    private var hasBegun = false
    private var openStreams = 0
    private var lastStream = HTTP2StreamID.rootStream
    private var whenIdle: Scheduled<Void>?
    private var context: ChannelHandlerContext?
    private var entry: ConnectionRegistry.Entry?

    /// - Parameter lingerTime: how long a client may take to close a connection without streams.
    package init(lingerTime: TimeAmount = .seconds(2)) {
        self.lingerTime = lingerTime
        lingering = LingeringClose(lingerTime)
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        entry = context.pipeline.syncOperations.connectionEntry
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        whenIdle?.cancel()
        lingering.cancel()
        self.context = nil
    }

    package func channelActive(context: ChannelHandlerContext) {
        // NIOHTTP2 has written its SETTINGS, which must be first.
        if case .due = phase { sayGoodbye(context) }
        context.fireChannelActive()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        lingering.cancel()
        context.fireChannelInactive()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is Farewell: beginDrain(context)
        case is EndOfPatience:
            if patienceIsOver { return }
            patienceIsOver = true
            proceed()
        case let created as NIOHTTP2StreamCreatedEvent:
            lastStream = max(lastStream, created.streamID)
            context.fireUserInboundEventTriggered(event)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        hasBegun = true
        context.fireChannelRead(data)
        guard case .ping(Self.pingData, ack: true) = frame.payload, case .told = phase else {
            return
        }
        phase = .understood
        proceed()
    }

    package func write(
        context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
    ) {
        if case .goAway = unwrapOutboundIn(data).payload, phase != .over {
            phase = .ending
            stopWaiting()
            // Not in the middle of what gRPC does.
            context.eventLoop.assumeIsolated().execute { [self] in proceed() }
        }
        context.write(data, promise: promise)
    }

    /// A stream was opened; called on the event loop, as the closing of its channel is.
    package func opened(_ stream: any Channel) {
        openStreams += 1
        stopWaiting()
        entry?.settled(false)
        stream.closeFuture.assumeIsolated().whenComplete { [self] _ in
            openStreams -= 1
            proceed()
        }
    }

    private func beginDrain(_ context: ChannelHandlerContext) {
        isDraining = true
        switch phase {
        case .serving where context.channel.isActive: sayGoodbye(context)
        case .serving: phase = .due
        case .due, .told, .understood, .over: break
        case .ending: proceed()
        }
    }

    private func sayGoodbye(_ context: ChannelHandlerContext) {
        phase = .told
        write(Self.goAway(lastStream: .maxID) + Self.ping, context)
    }

    /// Ends the connection, now or in a while, if no stream is open.
    private func proceed() {
        guard isDraining, openStreams == 0, let context else { return }
        switch phase {
        case .serving, .over: break
        case .due, .told:
            guard patienceIsOver else { return }
            if case .told = phase { write(Self.goAway(lastStream: lastStream), context) }
            end(context)
        case .understood:
            if whenIdle != nil { return }
            // A deadline that comes now takes nothing from anybody.
            entry?.settled()
            afterAWhile(context) { $0.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
        case .ending:
            if whenIdle != nil { return }
            entry?.settled()
            afterAWhile(context) { [self] in end($0) }
        }
    }

    private func afterAWhile(
        _ context: ChannelHandlerContext, _ body: @escaping (ChannelHandlerContext) -> Void
    ) {
        whenIdle = context.eventLoop.assumeIsolated().scheduleTask(in: lingerTime) { [self] in
            whenIdle = nil
            if let context = self.context { body(context) }
        }
    }

    private func stopWaiting() {
        whenIdle?.cancel()
        whenIdle = nil
    }

    /// Below NIOHTTP2, which knows nothing of this.
    private func end(_ context: ChannelHandlerContext) {
        phase = .over
        guard
            let codec = try? context.pipeline.syncOperations.context(
                handlerType: NIOHTTP2Handler.self),
            (try? context.pipeline.syncOperations.addHandler(
                DeafHandler(), position: .before(codec.handler))) != nil
        else { return context.close(promise: nil) }
        lingering.begin(codec, entry, owes: hasBegun)
    }

    /// Writes whole frames past NIOHTTP2, from where it writes its own.
    ///
    /// Never called while it writes one: it runs on events and frames that were read.
    private func write(_ frames: [UInt8], _ context: ChannelHandlerContext) {
        guard
            let codec = try? context.pipeline.syncOperations.context(
                handlerType: NIOHTTP2Handler.self)
        else { return }
        let bytes = context.channel.allocator.buffer(bytes: frames)
        codec.writeAndFlush(NIOAny(IOData.byteBuffer(bytes)), promise: nil)
    }

    /// RFC 9113 §6.8; the error is none.
    private static func goAway(lastStream: HTTP2StreamID) -> [UInt8] {
        let last = UInt32(truncatingIfNeeded: Int(lastStream))
        return [0, 0, 8, 7, 0, 0, 0, 0, 0]
            + withUnsafeBytes(of: last.bigEndian) { Array($0) } + [0, 0, 0, 0]
    }

    /// RFC 9113 §6.7.
    private static let ping: [UInt8] =
        [0, 0, 8, 6, 0, 0, 0, 0, 0]
        + withUnsafeBytes(of: UInt64(pingData.integer).bigEndian) { Array($0) }
}

/// Before NIOHTTP2: what comes is dropped, for the client has been told that it is not heard.
private final class DeafHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
}

/// A client that has not said by now that it has read the farewell is not waited for any longer.
package struct EndOfPatience: Sendable {
    package init() {}
}
