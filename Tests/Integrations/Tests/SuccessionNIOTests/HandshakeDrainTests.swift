// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Succession
import SuccessionNIO
import Testing

/// Connections whose handshake does not come to its end; what stands for TLS passes nothing on.
@Suite(.timeLimit(.minutes(1))) struct HandshakeDrainTests {
    private func start() async throws -> TestServer {
        try await TestServer { channel, generation in
            try channel.pipeline.syncOperations.addHandlers(
                UnfinishedHandshake(),
                HandshakeDrainHandler(generation, closes: .spread(0...0.01)))
        }
    }

    @Test(arguments: [[], [UInt8(1)]])
    func connection_whoseHandshakeDoesNotEnd_isClosed(bytes: [UInt8]) async throws {
        let server = try await start()
        let client = try server.connect()
        if !bytes.isEmpty {
            try client.write(bytes)
            #expect(try client.read(1) == [1])
        }
        await server.connectionTaken()
        await server.generation.drain(deadline: .seconds(20))
        #expect((try? client.readUntilEnd(1)) ?? [] == [])
        #expect(await server.stop() == 0)
    }

    @Test func connection_whoseHandshakeHasEnded_isLeftToOthers() async throws {
        let server = try await start()
        let client = try server.connect()
        try client.write([2])
        #expect(try client.read(1) == [2])
        await server.generation.drain(deadline: .milliseconds(500))
        #expect(client.isSilent(for: 200))
        #expect(await server.stop() == 1)
    }

    @Test func connection_whoseProtocolIsKnown_isLeftToItsHandler() async throws {
        let server = try await TestServer { channel, generation in
            try channel.pipeline.syncOperations.addHandlers(
                UnfinishedHandshake(),
                HandshakeDrainHandler(generation, closes: .beginning),
                StreamDrainHandler(generation, tells: .deadline) { _ in })
        }
        let client = try server.connect()
        await server.connectionTaken()
        await server.generation.drain(deadline: .milliseconds(500))
        #expect(client.isSilent(for: 200))
        #expect(await server.stop() == 1)
    }
}

/// Echoes; passes a byte on if it is not 1, and does not close in an orderly way.
private final class UnfinishedHandshake: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        if bytes.readableBytesView.first != 1 { context.fireChannelRead(data) }
    }

    /// TLS waits for the other side.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }
}
