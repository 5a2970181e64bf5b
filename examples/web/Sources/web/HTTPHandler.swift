// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// Answers one request after the other.
final class HTTPHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let generationID: String
    private var request: HTTPRequestHead?
    /// Those in force when the request came.
    private var settings = Settings()
    private var paced: PacedBody?

    init(generationID: String) {
        self.generationID = generationID
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            request = head
            settings = CurrentSettings.shared.value
            if head.expectsContinue {
                let goOn = HTTPResponseHead(version: head.version, status: .continue)
                context.writeAndFlush(wrapOutboundOut(.head(goOn)), promise: nil)
            }
        case .body: break
        case .end:
            guard let request else { return }
            answer(Route(uri: request.uri), to: request, context)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        paced?.proceed(context)
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        paced?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func answer(
        _ route: Route, to request: HTTPRequestHead, _ context: ChannelHandlerContext
    ) {
        switch route {
        case .hello: respond(.ok, "hello\n", to: request, context)
        case .unknown: respond(.notFound, "not found\n", to: request, context)
        case .slow(let delay):
            context.eventLoop.assumeIsolated().scheduleTask(in: delay) { [self] in
                respond(.ok, "slow\n", to: request, context)
            }
        case .body(let bytes, let pause):
            begin(.ok, length: bytes, to: request, context)
            let chunk = ByteBuffer(repeating: UInt8(ascii: "x"), count: 16_384)
            send(
                PacedBody(chunk, total: bytes, pause: pause) { [self] in
                    finish(request, context)
                }, context)
        case .stream(let interval):
            begin(.ok, length: nil, to: request, context)
            let tick = ByteBuffer(string: "tick\n")
            send(PacedBody(tick, total: nil, pause: interval) {}, context)
        }
    }

    private func respond(
        _ status: HTTPResponseStatus, _ text: String, to request: HTTPRequestHead,
        _ context: ChannelHandlerContext
    ) {
        guard context.channel.isActive else { return }
        begin(status, length: text.utf8.count, to: request, context)
        if request.method != .HEAD {
            let body = context.channel.allocator.buffer(string: text)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        finish(request, context)
    }

    private func begin(
        _ status: HTTPResponseStatus, length: Int?, to request: HTTPRequestHead,
        _ context: ChannelHandlerContext
    ) {
        var head = HTTPResponseHead(version: request.version, status: status)
        head.headers.add(name: "X-Generation", value: generationID)
        for (name, value) in settings.headers { head.headers.add(name: name, value: value) }
        if let length { head.headers.add(name: "Content-Length", value: String(length)) }
        if !request.isKeepAlive {
            head.headers.add(name: "Connection", value: "close")
        } else if request.version == .http1_0 {
            head.headers.add(name: "Connection", value: "keep-alive")
        }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
    }

    private func send(_ body: PacedBody, _ context: ChannelHandlerContext) {
        paced = body
        body.proceed(context)
    }

    private func finish(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        paced = nil
        self.request = nil
        let written = context.eventLoop.makePromise(of: Void.self)
        if !request.isKeepAlive {
            written.futureResult.assumeIsolated().whenComplete { _ in
                context.close(promise: nil)
            }
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
    }
}

extension HTTPRequestHead {
    /// The client sends the body when it has been told to go on (RFC 9110 §10.1.1).
    fileprivate var expectsContinue: Bool {
        version != .http1_0
            && headers[canonicalForm: "Expect"].contains { $0.lowercased() == "100-continue" }
    }
}
