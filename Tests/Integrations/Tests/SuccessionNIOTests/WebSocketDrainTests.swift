// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOWebSocket
import Succession
import SuccessionNIO
import Testing

/// Frames as a client sees them; the upgrade, which is NIO's, is left out.
@Suite struct WebSocketDrainTests {
    private func start(
        answerTime: TimeAmount = .seconds(20),
        prepare: @escaping @Sendable (any Channel) -> EventLoopFuture<Void> = {
            $0.eventLoop.makeSucceededVoidFuture()
        }
    ) async throws -> (TestServer, TestClient) {
        let server = try await TestServer { channel, generation in
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(WebSocketFrameEncoder())
            try pipeline.addHandler(ByteToMessageHandler(WebSocketFrameDecoder()))
            try pipeline.addHandler(
                WebSocketDrainHandler(
                    generation, reason: "a new release", answerTime: answerTime,
                    prepare: prepare))
            try pipeline.addHandler(Repeater())
        }
        let client = try server.connect()
        // So that the connection is known before the drain begins.
        try client.write([0x82, 0x81, 0, 0, 0, 0, 7])
        #expect(try client.read(3) == [0x82, 1, 7])
        return (server, client)
    }

    private let close: [UInt8] = [0x88, 15, 0x03, 0xf4] + Array("a new release".utf8)

    @Test func connection_whenDraining_isClosedWithTheReason() async throws {
        let (server, client) = try await start()
        await server.generation.drain(deadline: .seconds(20))
        #expect(try client.read(close.count) == close)
        try client.write([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xf4])
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }

    @Test func application_beforeTheClose_hasItsLastWord() async throws {
        let (server, client) = try await start { channel in
            let frame = WebSocketFrame(
                fin: true, opcode: .text, data: ByteBuffer(string: "bye"))
            return channel.writeAndFlush(frame)
        }
        await server.generation.drain(deadline: .seconds(20))
        #expect(try client.read(5) == [0x81, 3] + Array("bye".utf8))
        #expect(try client.read(close.count) == close)
        _ = await server.stop(atOnce: true)
    }

    /// RFC 6455 §5.5.1: nothing comes after a close frame, so the message has to be finished first.
    @Test func message_inFragments_isFinishedBeforeTheClose() async throws {
        let (server, client) = try await start()
        try client.write([0x02, 0x81, 0, 0, 0, 0, 1])
        #expect(try client.read(3) == [0x02, 1, 1])
        await server.generation.drain(deadline: .seconds(20))
        #expect(client.isSilent(for: 300))
        try client.write([0x80, 0x81, 0, 0, 0, 0, 2])
        #expect(try client.read(3) == [0x80, 1, 2])
        #expect(try client.read(close.count) == close)
        _ = await server.stop(atOnce: true)
    }

    /// It has been told all there is to tell.
    @Test func client_thatDoesNotAnswerInTime_isNotCut() async throws {
        let (server, client) = try await start(answerTime: .seconds(60))
        await server.generation.drain(deadline: .milliseconds(500))
        #expect(await server.stop() == 0)
        #expect(try client.read(close.count) == close)
    }

    @Test func client_thatDoesNotAnswer_isClosedAfterAWhile() async throws {
        let (server, client) = try await start(answerTime: .milliseconds(100))
        await server.generation.drain(deadline: .seconds(20))
        #expect(try client.read(close.count) == close)
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }
}

/// Sends back what it gets, unmasked.
private final class Repeater: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        let answer = WebSocketFrame(
            fin: frame.fin, opcode: frame.opcode, data: frame.unmaskedData)
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
    }
}
