// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import NIOPosix
import Succession
import SuccessionNIO
import Testing

/// Kept-alive connections while their generation drains.
@Suite struct HTTP1DrainTests {
    private let request = Array("GET / HTTP/1.1\r\nHost: test\r\n\r\n".utf8)

    private func start(
        idle: DrainMoment, answers: @escaping @Sendable () -> any ChannelHandler = EmptyAnswers.init
    ) async throws -> TestServer {
        try await TestServer { channel, generation in
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline()
            try pipeline.addHandler(HTTP1DrainHandler(generation, idle: idle))
            try pipeline.addHandler(answers())
        }
    }

    private func answer(_ client: TestClient) throws -> String {
        var text = ""
        while !text.hasSuffix("\r\n\r\n") {
            text += String(decoding: try client.read(1), as: UTF8.self)
        }
        return text
    }

    @Test func idleConnection_atItsMoment_isClosed() async throws {
        let server = try await start(idle: .beginning)
        let client = try server.connect()
        try client.write(request)
        #expect(!(try answer(client).contains("close")))
        await server.generation.drain(deadline: .seconds(20))
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }

    /// A head of which a part has come is a request that is owed an answer.
    @Test func connection_withPartOfARequest_isAnsweredAndThenClosed() async throws {
        let server = try await start(idle: .beginning)
        let client = try server.connect()
        try client.write(request)
        _ = try answer(client)
        let idle = try server.connect()
        try client.write(Array(request.prefix(7)))
        // By when this has been answered, those seven bytes have been read by the same loop.
        try idle.write(request)
        _ = try answer(idle)
        while server.generation.connections.count < 2 { await Task.yield() }
        await server.generation.drain(deadline: .seconds(20))
        #expect(client.isSilent(for: 300))
        try client.write(Array(request.dropFirst(7)))
        #expect(try answer(client).contains("Connection: close"))
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }

    /// The head said nothing of a close: it was written before the drain.
    @Test func response_thatEndsAfterTheIdleMoment_isFollowedByTheClose() async throws {
        let end = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        let server = try await start(idle: .beginning) { [end = end.futureResult] in
            LateEnds(end)
        }
        let client = try server.connect()
        try client.write(request)
        #expect(!(try answer(client).contains("close")))
        await server.generation.drain(deadline: .seconds(20))
        #expect(client.isSilent(for: 300))
        end.succeed()
        #expect(try client.read(5) == Array("0\r\n\r\n".utf8))
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }

    /// A handler may give any promise with what it writes.
    @Test func promise_ofAnotherEventLoop_isKept() async throws {
        let written = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        let now = MultiThreadedEventLoopGroup.singleton.next().makeSucceededVoidFuture()
        let server = try await start(idle: .deadline) { LateEnds(now, written) }
        let client = try server.connect()
        try client.write(Array(request.prefix(7)))
        while server.generation.connections.count < 1 { await Task.yield() }
        await server.generation.drain(deadline: .seconds(20))
        try client.write(Array(request.dropFirst(7)))
        #expect(try answer(client).contains("Connection: close"))
        #expect(try client.read(5) == Array("0\r\n\r\n".utf8))
        try await written.futureResult.get()
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }

    @Test func idleConnection_withoutAMoment_isCutByTheDeadline() async throws {
        let server = try await start(idle: .deadline)
        let client = try server.connect()
        try client.write(request)
        _ = try answer(client)
        await server.generation.drain(deadline: .milliseconds(300))
        try client.expectEnd()
        #expect(await server.stop() == 1)
    }
}

private final class EmptyAnswers: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = unwrapInboundIn(data) else { return }
        let headers: HTTPHeaders = ["Content-Length": "0"]
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

/// Ends its responses, which have begun, when the future succeeds.
private final class LateEnds: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let end: EventLoopFuture<Void>
    private let written: EventLoopPromise<Void>?

    init(_ end: EventLoopFuture<Void>, _ written: EventLoopPromise<Void>? = nil) {
        self.end = end
        self.written = written
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = unwrapInboundIn(data) else { return }
        let headers: HTTPHeaders = ["Transfer-Encoding": "chunked"]
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
        end.hop(to: context.eventLoop).assumeIsolated().whenSuccess {
            context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: self.written)
        }
    }
}
