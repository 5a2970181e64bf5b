// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// A response body that is sent chunk by chunk, no faster than the client reads; used on one event
/// loop.
final class PacedBody {
    private let chunk: ByteBuffer
    /// Bytes that are still to be sent; nil: without end.
    private var remaining: Int?
    private let pause: TimeAmount
    private let whenSent: () -> Void
    private var timer: Scheduled<Void>?
    private var isOver = false

    init(
        _ chunk: ByteBuffer, total: Int?, pause: TimeAmount, whenSent: @escaping () -> Void
    ) {
        self.chunk = chunk
        remaining = total
        self.pause = pause
        self.whenSent = whenSent
    }

    /// Sends what may be sent now; called again when the channel has become writable.
    func proceed(_ context: ChannelHandlerContext) {
        while !isOver, timer == nil, context.channel.isWritable {
            guard remaining != 0 else { return finish() }
            let size = min(chunk.readableBytes, remaining ?? .max)
            remaining? -= size
            guard let slice = chunk.getSlice(at: chunk.readerIndex, length: size) else { return }
            let part = HTTPServerResponsePart.body(.byteBuffer(slice))
            context.writeAndFlush(NIOAny(part), promise: nil)
            if pause > .zero { wait(context) }
        }
    }

    func cancel() {
        isOver = true
        timer?.cancel()
    }

    private func wait(_ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: pause) { [self] in
            timer = nil
            proceed(context)
        }
    }

    private func finish() {
        isOver = true
        whenSent()
    }
}
