// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore
import NIOHTTP1
import SuccessionSystem

/// Before the decoder of HTTP/1.1 requests, behind TLS: tells which requests have come, and whether
/// the bytes that have come end where a request ends.
///
/// The decoder says nothing of a head of which only a part has come. So the end of the bytes is
/// compared with the end of what was decoded. Used on the event loop.
final class RequestBoundary: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = IOData

    /// How many requests have come, the one that is coming too if its head is whole.
    private(set) var requests = 0
    private(set) var isInRequest = false
    /// When the last bytes came that did not end where a head does.
    private(set) var lastPart = NIODeadline.uptimeNanoseconds(0)
    private var received = StreamEnd.blankLine
    /// Of the request that was decoded last, as long as its body does not come in chunks.
    private var decoded = StreamEnd.blankLine
    private var byteCount = 0
    /// Bytes that had come when somebody asked for the last request.
    private var mark: Int?
    private var context: ChannelHandlerContext?
    private var decodings: DecodedRequests?

    /// Whether it sees by itself what is decoded; if not, it is to be told.
    var seesDecoder: Bool { decodings != nil }

    /// Whether anything has come.
    var hasBegun: Bool { byteCount > 0 }

    /// Whether no part of a request has come that was not decoded to its end.
    ///
    /// A head, and a body in chunks, end with an empty line, which no part of a head contains.
    var isReached: Bool { !isInRequest && !isInHead }

    /// Whether a part of a head has come.
    var isInHead: Bool {
        !isInRequest && !received.ends(with: .blankLine) && !received.ends(with: decoded)
    }

    func watch(_ pipeline: ChannelPipeline.SynchronousOperations) throws {
        let decoder = try? pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
        try pipeline.addHandler(self, position: decoder.map { .before($0) } ?? .first)
        guard let decoder else { return }
        // Not where the responses are: what comes behind a request that is not answered yet is held
        // back before there.
        let decodings = DecodedRequests(self)
        try pipeline.addHandler(decodings, position: .after(decoder))
        self.decodings = decodings
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        if let decodings { context.pipeline.syncOperations.removeHandler(decodings, promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        byteCount += bytes.readableBytes
        received.append(bytes)
        if !received.ends(with: .blankLine) { lastPart = .now() }
        context.fireChannelRead(data)
    }

    /// The number of the last request that had come when this was first called, as soon as all of
    /// them have been read; nil until then.
    ///
    /// What the kernel holds has come too. A client that sends one request after the other without
    /// waiting for a response would otherwise never see the last. The one that is coming counts.
    func lastRequest() -> Int? {
        let unread = unreadCount
        let mark = mark ?? byteCount + unread
        self.mark = mark
        guard unread == 0 || byteCount >= mark else { return nil }
        return requests + (isInHead ? 1 : 0)
    }

    private var unreadCount: Int {
        let count = try? context?.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { socket in
            try Syscall.unread(socket)
        }
        return count ?? 0
    }

    /// Answers a head that has not come to its end, so that the client may repeat the request
    /// (RFC 9110 §15.5.9).
    func answerTooLate() {
        let answer =
            "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        write(ByteBuffer(string: answer), nil)
    }

    /// Calls `then` when everything has been written, or cannot be.
    func whenWritten(_ then: @escaping () -> Void) {
        guard let context else { return then() }
        // An empty write comes after everything that is still to be sent.
        let written = context.promise(for: nil, then: then)
        write(ByteBuffer(), written)
    }

    /// From where responses are bytes already: their encoder is nearer to the network.
    private func write(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
        let encoder = try? context?.pipeline.syncOperations.context(
            handlerType: HTTPResponseEncoder.self)
        guard let network = encoder ?? context else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        network.writeAndFlush(wrapOutboundOut(.byteBuffer(bytes)), promise: promise)
    }

    /// To be told of everything that is decoded, in its order.
    func decoded(_ part: HTTPServerRequestPart) {
        switch part {
        case .head:
            requests += 1
            isInRequest = true
            decoded = .blankLine
        case .body(let bytes): decoded.append(bytes)
        case .end: isInRequest = false
        }
    }
}

/// Behind the decoder.
private final class DecodedRequests: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart

    private let boundary: RequestBoundary

    init(_ boundary: RequestBoundary) {
        self.boundary = boundary
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        boundary.decoded(unwrapInboundIn(data))
        context.fireChannelRead(data)
    }
}

/// The last bytes of many.
struct StreamEnd {
    static let blankLine = StreamEnd(bytes: 0x0d0a_0d0a, count: 4)
    private static let limit = 16

    private var bytes: UInt128
    private var count: Int

    mutating func append(_ buffer: ByteBuffer) {
        for byte in buffer.readableBytesView.suffix(Self.limit) {
            bytes = bytes << 8 | UInt128(byte)
            count = min(count + 1, Self.limit)
        }
    }

    func ends(with other: StreamEnd) -> Bool {
        let others = ~(UInt128.max << (8 * other.count))
        return count >= other.count && (bytes ^ other.bytes) & others == 0
    }
}
#endif
