// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOCore
import NIOHTTP1

/// Says how many bytes a request had, after the milliseconds that `/slow?ms=` asks for.
final class Answers: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private static let generation = String(getpid())
    private var head: HTTPRequestHead?
    private var received = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            received = 0
            if head.headers["Expect"].contains(where: { $0.lowercased() == "100-continue" }) {
                let goOn = HTTPResponseHead(version: head.version, status: .continue)
                context.writeAndFlush(wrapOutboundOut(.head(goOn)), promise: nil)
            }
        case .body(let bytes):
            received += bytes.readableBytes
        case .end:
            guard let head else { return }
            let delay = head.uri.split(separator: "=").last.flatMap { Int64($0) } ?? 0
            if delay == 0 { return answer(head, context) }
            context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(delay)) { [self] in
                answer(head, context)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        let body = ByteBuffer(string: "\(received) bytes\n")
        var head = HTTPResponseHead(version: request.version, status: .ok)
        head.headers.add(name: "X-Generation", value: Self.generation)
        head.headers.add(name: "Content-Length", value: "\(body.readableBytes)")
        if !request.isKeepAlive { head.headers.add(name: "Connection", value: "close") }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        let written = context.eventLoop.makePromise(of: Void.self)
        if !request.isKeepAlive {
            written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
    }
}
