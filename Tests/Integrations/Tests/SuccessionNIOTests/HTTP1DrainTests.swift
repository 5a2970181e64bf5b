// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOPosix
import Succession
import SuccessionNIO
import Testing

/// Kept-alive connections while their generation drains.
@Suite(.timeLimit(.minutes(1))) struct HTTP1DrainTests {
    private let request = Array("GET / HTTP/1.1\r\nHost: test\r\n\r\n".utf8)

    private func start(
        idle: DrainMoment, minimum: TimeAmount = .zero, halfClosure: Bool = false,
        answers: @escaping @Sendable () -> any ChannelHandler = EmptyAnswers.init
    ) async throws -> TestServer {
        try await TestServer { channel, generation in
            try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: halfClosure)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline()
            try pipeline.addHandler(
                HTTP1DrainHandler(generation, idle: idle, minimumIdleTime: minimum))
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

    @Test func idleConnection_whenTheDeadlineIsBroughtForward_isClosedBefore() async throws {
        let server = try await start(idle: .spread(0.1...0.2))
        let client = try server.connect()
        try client.write(request)
        _ = try answer(client)
        await server.generation.drain(deadline: .seconds(3600))
        await server.generation.drain(deadline: .seconds(3))
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }

    /// A head of which a part has come is a request that is owed an answer.
    @Test(arguments: [true, false])
    func connection_withPartOfARequest_isAnsweredAndThenClosed(inOneWrite: Bool) async throws {
        let server = try await start(idle: .beginning)
        let client = try server.connect()
        if inOneWrite {
            try client.write(request + request.prefix(7))
            _ = try answer(client)
        } else {
            try client.write(request)
            _ = try answer(client)
            try client.write(Array(request.prefix(7)))
        }
        try await settle(server)
        await server.generation.drain(deadline: .seconds(20))
        #expect(client.isSilent(for: 300))
        try client.write(Array(request.dropFirst(7)))
        #expect(try answer(client).contains("Connection: close"))
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }

    /// Returns when everything has been read that was written before: the same loop reads a request
    /// on a new connection, and answers it.
    private func settle(_ server: TestServer) async throws {
        let last = try server.connect()
        try last.write(request)
        _ = try answer(last)
    }

    @Test(arguments: [
        ["Content-Length: 1", "x"],
        ["Content-Length: 40", "the first half, ", "and then the second half"],
        ["Transfer-Encoding: chunked", "3\r\nabc\r\n", "0\r\n\r\n"],
    ])
    func request_withABody_leavesTheConnectionIdle(parts: [String]) async throws {
        let server = try await start(idle: .beginning)
        let client = try server.connect()
        try client.write(Array("POST / HTTP/1.1\r\nHost: test\r\n\(parts[0])\r\n\r\n".utf8))
        for part in parts.dropFirst() { try client.write(Array(part.utf8)) }
        _ = try answer(client)
        await server.generation.drain(deadline: .seconds(20))
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }

    /// A refusal is written before the client has sent what is refused.
    @Test(arguments: [true, false])
    func request_thatIsAnsweredEarly_isFollowedByTheClose(endsBeforeTheDrain: Bool) async throws {
        let server = try await start(idle: .beginning, answers: EarlyAnswers.init)
        let client = try server.connect()
        try client.write(
            Array("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nhalf".utf8))
        #expect(try answer(client).contains("401"))
        if endsBeforeTheDrain {
            try client.write(Array(" done".utf8))
            try await settle(server)
        }
        await server.generation.drain(deadline: .seconds(20))
        if !endsBeforeTheDrain {
            #expect(client.isSilent(for: 300))
            try client.write(Array(" done".utf8))
        }
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }

    /// Bytes of a TLS handshake before the first request are no request.
    @Test func handshake_withoutARequest_leavesTheConnectionIdle() async throws {
        let server = try await TestServer { channel, generation in
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(Handshake())
            try pipeline.configureHTTPServerPipeline()
            try pipeline.addHandler(
                HTTP1DrainHandler(generation, idle: .beginning, minimumIdleTime: .zero))
        }
        let client = try server.connect()
        try client.write([1])
        #expect(try client.read(1) == [1])
        await server.generation.drain(deadline: .seconds(20))
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }

    @Test func handler_whenRemoved_leavesNothingBehind() async throws {
        let (generation, directory) = try await TestServer.begin()
        #expect(try Self.pipelines(generation).count == 1)
        await TestServer.leave(generation, directory)
    }

    /// How a pipeline looks when a handler has come and gone, and when another one has.
    private static func pipelines(_ generation: Generation) throws -> Set<String> {
        let channel = EmbeddedChannel()
        let pipeline = channel.pipeline.syncOperations
        try pipeline.configureHTTPServerPipeline()
        var seen: Set<String> = []
        for _ in 1...2 {
            let drain = HTTP1DrainHandler(generation)
            try pipeline.addHandler(drain)
            pipeline.removeHandler(drain, promise: nil)
            channel.embeddedEventLoop.run()
            seen.insert(channel.pipeline.debugDescription)
        }
        _ = try channel.finish()
        return seen
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
        await server.connectionTaken()
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

/// Refuses a request by its head.
private final class EarlyAnswers: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head = unwrapInboundIn(data) else { return }
        let headers: HTTPHeaders = ["Content-Length": "0"]
        let head = HTTPResponseHead(version: .http1_1, status: .unauthorized, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

/// Sends back what it reads, and passes nothing on.
private final class Handshake: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(data, promise: nil)
    }
}
