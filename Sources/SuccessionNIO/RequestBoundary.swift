// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore
import NIOHTTP1

/// Before the decoder of HTTP/1.1 requests, behind TLS: tells whether the bytes that have come end
/// where a request ends.
///
/// The decoder says nothing of a head of which only a part has come. So the end of the bytes is
/// compared with the end of what was decoded. Used on the event loop.
final class RequestBoundary: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private var received = StreamEnd.blankLine
    /// Of the request that was decoded last, as long as its body does not come in chunks.
    private var decoded = StreamEnd.blankLine
    private var isInRequest = false

    /// Whether no part of a request has come that was not decoded to its end.
    ///
    /// A head, and a body in chunks, end with an empty line, which no part of a head contains.
    var isReached: Bool {
        !isInRequest && (received.ends(with: .blankLine) || received.ends(with: decoded))
    }

    func watch(_ pipeline: ChannelPipeline.SynchronousOperations) throws {
        let decoder = try? pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
        try pipeline.addHandler(self, position: decoder.map { .before($0) } ?? .first)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.append(unwrapInboundIn(data))
        context.fireChannelRead(data)
    }

    /// To be told of everything that is decoded, in its order, now or later.
    func decoded(_ part: HTTPServerRequestPart) {
        switch part {
        case .head:
            isInRequest = true
            decoded = .blankLine
        case .body(let bytes): decoded.append(bytes)
        case .end: isInRequest = false
        }
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
