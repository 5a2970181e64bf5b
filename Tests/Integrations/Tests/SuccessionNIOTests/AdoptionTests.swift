// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOPosix
import Succession
import SuccessionNIO
import SystemPackage
import Testing

/// Which descriptors are adopted, and which are refused before NIO sees them.
@Suite(.timeLimit(.minutes(1))) struct AdoptionTests {
    private func inside(
        _ body: (Generation) async throws -> Void
    ) async throws {
        let (generation, directory) = try await TestServer.begin()
        try await body(generation)
        await TestServer.leave(generation, directory)
    }

    private var server: ServerBootstrap {
        ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
    }

    /// NIO would stop the process.
    @Test func closedDescriptor_isRefused() async throws {
        try await inside { generation in
            let closed = try generation.listener(
                "closed", orBind: ListenAddress("tcp:127.0.0.1:0"))
            // With its threads, whose descriptors are not to get the number.
            let server = server
            closed.withUnsafeDescriptor { _ = close($0.rawValue) }
            let error = await #expect(throws: SuccessionError.self) {
                _ = try await server.adopt(closed, of: generation) {
                    $0.eventLoop.makeSucceededVoidFuture()
                }
            }
            #expect(error?.code == .system)
            // The generation closes what it owns; so that it closes nothing else:
            #expect(open("/dev/null", O_RDONLY) >= 0)
        }
    }

    @Test func listener_ofTheWrongKind_isRefused() async throws {
        try await inside { generation in
            let datagrams = try generation.listener("udp", orBind: ListenAddress("udp:127.0.0.1:0"))
            let stream = try generation.listener("tcp", orBind: ListenAddress("tcp:127.0.0.1:0"))
            await #expect(throws: SuccessionError.self) {
                _ = try await server.adopt(datagrams, of: generation)
            }
            await #expect(throws: SuccessionError.self) {
                _ = try await DatagramBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                    .adopt(stream, of: generation)
            }
            let socket = try generation.descriptor("socket") { try stream.duplicate() }
            let error = await #expect(throws: SuccessionError.self) {
                _ = try await NIOPipeBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                    .adopt(socket, of: generation)
            }
            #expect(error?.code == .inheritedTypeMismatch)
        }
    }

    @Test func pipe_onItsTurn_isReadAndNotBefore() async throws {
        try await inside { generation in
            var ends: [Int32] = [0, 0]
            #expect(Glibc.pipe(&ends) == 0)
            let (input, output) = (ends[0], ends[1])
            let pipe = try generation.descriptor("commands") { FileDescriptor(rawValue: input) }
            let (bytes, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
            _ = try await NIOPipeBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Collector(continuation))
                    }
                }
                .adopt(pipe, of: generation)
            #expect(write(output, "one", 3) == 3)
            var waiting: Int32 = 0
            #expect(ioctl(output, UInt(FIONREAD), &waiting) == 0)
            #expect(waiting == 3)
            try await generation.ready()
            var received = bytes.makeAsyncIterator()
            #expect(await received.next() == ByteBuffer(string: "one"))
            close(output)
        }
    }

    /// A hundred connections wait in the queue or with NIO when the drain begins; a task that takes
    /// them slowly gets each of them.
    @Test func asyncConnections_takenBeforeTheDrain_areAllDelivered() async throws {
        try await inside { generation in
            let listener = try generation.listener("test", orBind: ListenAddress("tcp:127.0.0.1:0"))
            let (taken, take) = AsyncStream.makeStream(of: Void.self)
            let server = try await server.adopt(
                listener, of: generation,
                backPressure: .init(lowWatermark: 100, highWatermark: 200)
            ) { channel in
                take.yield()
                return channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel)
                }
            }
            try await generation.ready()
            let port = UInt16("\(listener.address)".split(separator: ":").last ?? "") ?? 0
            let clients = try (0..<100).map { _ in try TestClient(port: port) }
            // The generation counts each before it is initialised.
            _ = await taken.dropFirst(clients.count - 1).first { true }
            await generation.drain(deadline: .seconds(20))
            try await server.executeThenClose { connections in
                for try await connection in connections {
                    try await connection.executeThenClose { _, outbound in
                        try await outbound.write(ByteBuffer(string: "hello"))
                    }
                }
            }
            for client in clients {
                #expect(try client.read(5) == Array("hello".utf8))
                try client.expectEnd()
            }
            #expect(generation.connections.cutCount == 0)
        }
    }

    @Test func asyncConnection_whoseInitialiserFails_isClosed() async throws {
        try await inside { generation in
            let listener = try generation.listener("test", orBind: ListenAddress("tcp:127.0.0.1:0"))
            let server = try await server.adopt(listener, of: generation) { channel in
                channel.eventLoop.makeFailedFuture(CancellationError()) as EventLoopFuture<Void>
            }
            try await generation.ready()
            let port = UInt16("\(listener.address)".split(separator: ":").last ?? "") ?? 0
            try TestClient(port: port).expectEnd()
            await generation.drain(deadline: .seconds(20))
            try await server.executeThenClose { connections in
                for try await _ in connections { Issue.record("a connection that has failed") }
            }
        }
    }
}

private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let continuation: AsyncStream<ByteBuffer>.Continuation

    init(_ continuation: AsyncStream<ByteBuffer>.Continuation) {
        self.continuation = continuation
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        continuation.yield(unwrapInboundIn(data))
    }
}
