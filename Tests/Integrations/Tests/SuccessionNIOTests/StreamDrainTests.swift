// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Succession
import SuccessionNIO
import Testing

/// The application's own way to end a connection.
@Suite(.timeLimit(.minutes(1))) struct StreamDrainTests {
    private func start(tells moment: DrainMoment) async throws -> (TestServer, TestClient) {
        let server = try await TestServer { channel, generation in
            try channel.pipeline.syncOperations.addHandler(
                StreamDrainHandler(generation, protocol: "lines", tells: moment) { channel in
                    channel.writeAndFlush(ByteBuffer(string: "bye\n")).whenComplete { _ in
                        channel.close(promise: nil)
                    }
                })
        }
        return (server, try server.connect())
    }

    @Test(arguments: [DrainMoment.beginning, .spread(0...0.01)])
    func application_whenDraining_endsTheConnection(moment: DrainMoment) async throws {
        let (server, client) = try await start(tells: moment)
        await server.connectionTaken()
        await server.generation.drain(deadline: .seconds(20))
        #expect(try client.read(4) == Array("bye\n".utf8))
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }

    /// The client goes on reading: the application has ended its side, and waits for nothing.
    @Test func connection_whoseOutputTheApplicationClosed_isClosedAfterAWhile() async throws {
        let server = try await TestServer { channel, generation in
            try channel.pipeline.syncOperations.addHandler(
                StreamDrainHandler(generation, lingerTime: .milliseconds(100)) {
                    $0.close(mode: .output, promise: nil)
                })
        }
        let client = try server.connect()
        await server.connectionTaken()
        await server.generation.drain(deadline: .seconds(60))
        await server.connectionEnded()
        #expect(try client.readUntilEnd(1).isEmpty)
        #expect(await server.stop() == 0)
    }

    @Test func connection_whoseClientDoesNotLook_isNotCut() async throws {
        let server = try await TestServer { channel, generation in
            try channel.pipeline.syncOperations.addHandler(
                StreamDrainHandler(generation, lingerTime: .seconds(60)) {
                    $0.close(mode: .output, promise: nil)
                })
        }
        let client = try server.connect()
        await server.connectionTaken()
        await server.generation.drain(deadline: .milliseconds(500))
        #expect(await server.stop() == 0)
        #expect(try client.readUntilEnd(1).isEmpty)
    }

    @Test func connection_withoutAMoment_isCut() async throws {
        let (server, client) = try await start(tells: .deadline)
        await server.connectionTaken()
        await server.generation.drain(deadline: .milliseconds(200))
        try client.expectEnd()
        #expect(await server.stop() == 1)
    }
}
