// SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import NIOHTTP2

/// Sends a client elsewhere without failing a call that crosses with the message.
///
/// A GOAWAY that NIOHTTP2 is asked to send makes it refuse every stream from then on, also one that
/// the client opened before it could know, and the calls that are under way fail with it
/// (swift-nio-http2#466). So the frame is written past NIOHTTP2, which goes on to accept streams:
/// GOAWAY with the highest stream there can be, which refuses none, and a ping, whose answer says
/// that it was read. A client closes the connection itself when its calls are done. From one that
/// does not, gRPC's own graceful end takes it when no stream has been open for some time: streams
/// may have been in line for sending, and come behind the answer. A connection that gRPC ends for a
/// reason of its own, its age for instance, is left to it: what a GOAWAY says may not be taken back.
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
        case over
    }

    private static let pingData = HTTP2PingData(withInteger: 0x7375_6363_6573_736F)

    private let lingerTime: TimeAmount
    private var phase = Phase.serving
    private var openStreams = 0
    private var lingering: Scheduled<Void>?
    private var context: ChannelHandlerContext?

    /// - Parameter lingerTime: how long a client may take to close a connection without streams.
    package init(lingerTime: TimeAmount = .seconds(2)) {
        self.lingerTime = lingerTime
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        lingering?.cancel()
        self.context = nil
    }

    package func channelActive(context: ChannelHandlerContext) {
        // NIOHTTP2 has written its SETTINGS, which must be first.
        if case .due = phase { sayGoodbye(context) }
        context.fireChannelActive()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is Farewell else { return context.fireUserInboundEventTriggered(event) }
        guard case .serving = phase else { return }
        if context.channel.isActive {
            sayGoodbye(context)
        } else {
            phase = .due
        }
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        context.fireChannelRead(data)
        guard case .ping(Self.pingData, ack: true) = frame.payload, case .told = phase else {
            return
        }
        phase = .understood
        lingerIfIdle()
    }

    package func write(
        context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
    ) {
        if case .goAway = unwrapOutboundIn(data).payload {
            phase = .over
            lingering?.cancel()
        }
        context.write(data, promise: promise)
    }

    /// A stream was opened; called on the event loop, as the closing of its channel is.
    package func opened(_ stream: any Channel) {
        openStreams += 1
        lingering?.cancel()
        stream.closeFuture.assumeIsolated().whenComplete { [self] _ in
            openStreams -= 1
            lingerIfIdle()
        }
    }

    private func sayGoodbye(_ context: ChannelHandlerContext) {
        phase = .told
        write(Self.goAway + Self.ping, context)
    }

    private func lingerIfIdle() {
        guard case .understood = phase, openStreams == 0, let context else { return }
        lingering = context.eventLoop.assumeIsolated().scheduleTask(in: lingerTime) { [self] in
            guard let context = self.context else { return }
            context.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
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

    /// RFC 9113 §6.8: the last stream is 2^31-1, the error is none.
    private static let goAway: [UInt8] = [
        0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0,
    ]

    /// RFC 9113 §6.7.
    private static let ping: [UInt8] =
        [0, 0, 8, 6, 0, 0, 0, 0, 0]
        + withUnsafeBytes(of: UInt64(pingData.integer).bigEndian) { Array($0) }
}
