// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOPosix
import Succession
import SuccessionNIO
import Testing

/// How NIO accepts and reads when descriptors run out or another process changes the socket.
@Suite(.serialized) struct AcceptTests {
    private func setNonBlocking(_ listener: Listener, _ isOn: Bool) {
        listener.withUnsafeDescriptor { descriptor in
            let flags = fcntl(descriptor.rawValue, F_GETFL)
            let changed = isOn ? flags | O_NONBLOCK : flags & ~O_NONBLOCK
            #expect(fcntl(descriptor.rawValue, F_SETFL, changed) == 0)
        }
    }

    /// NIO accepts until there is nothing more, where the event loop would wait for the next client.
    @Test func listener_thatSomebodyMadeBlocking_hangsNoEventLoop() async throws {
        let server = try await TestServer { channel, _ in
            try channel.pipeline.syncOperations.addHandler(Greeter())
        }
        for _ in 1...3 {
            setNonBlocking(server.listener, false)
            let client = try server.connect()
            let greeting = Result { try client.read(5) }
            // A connection ends the blocked accept; the other tests use this event loop too.
            if case .failure = greeting {
                setNonBlocking(server.listener, true)
                _ = try server.connect()
            }
            #expect(try greeting.get() == Array("hello".utf8))
        }
        #expect(await server.stop(atOnce: true) <= 3)
    }

    /// NIO reads until no datagram is left, where a blocking socket would stop the event loop.
    ///
    /// The answer is sent when that row of reads has ended: it shows that the loop goes on.
    @Test func datagramSocket_thatSomebodyMadeBlocking_hangsNoEventLoop() async throws {
        let (generation, directory) = try await TestServer.begin()
        let listener = try generation.listener("test", orBind: ListenAddress("udp:127.0.0.1:0"))
        let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        _ = try await DatagramBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AnswerAfterRow())
                }
            }
            .adopt(listener, of: generation)
        try await generation.ready()
        let port = UInt16("\(listener.address)".split(separator: ":").last ?? "") ?? 0
        let client = try TestClient(port: port, kind: SOCK_DGRAM)
        for _ in 1...3 {
            setNonBlocking(listener, false)
            try client.write([1])
            let answer = Result { try client.read(5) }
            if case .failure = answer {
                // Another datagram ends the blocked read, so that the loop can be shut down.
                setNonBlocking(listener, true)
                try client.write([1])
            }
            #expect(try answer.get() == Array("hello".utf8))
        }
        await TestServer.leave(generation, directory)
        try await loop.shutdownGracefully()
    }

    /// Sixty clients, and room for a third of them.
    ///
    /// The process can still open what it needs; a waiting client is accepted as soon as another leaves.
    @Test func descriptors_thatClientsUseUp_leaveSomeAndComeBack() async throws {
        let (generation, directory) = try await TestServer.begin()
        let listener = try generation.listener("test", orBind: ListenAddress("tcp:127.0.0.1:0"))
        let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        _ = try await ServerBootstrap(group: loop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Greeter())
                }
            }
            .adopt(listener, of: generation)
        let port = UInt16("\(listener.address)".split(separator: ":").last ?? "") ?? 0
        var clients = try (0..<60).map { _ in try TestClient(port: port) }

        var before = rlimit()
        getrlimit(__rlimit_resource_t(7 /* RLIMIT_NOFILE */), &before)
        let lowest = dup(0)
        close(lowest)
        var limit = before
        limit.rlim_cur = rlim_t(lowest + 32)
        setrlimit(__rlimit_resource_t(7), &limit)
        defer { setrlimit(__rlimit_resource_t(7), &before) }

        try await generation.ready()
        var served = 0
        while served < clients.count, !clients[served].isSilent(for: 500) {
            #expect(try clients[served].read(5) == Array("hello".utf8))
            served += 1
        }
        #expect((10..<32).contains(served), "\(served) are served")
        let (one, other) = (dup(0), dup(0))
        #expect(one >= 0 && other >= 0, "no descriptor is left")
        close(one)
        close(other)

        let began = usage()
        #expect(clients[served].isSilent(for: 500))
        #expect(usage() - began < .milliseconds(250), "the accept loop spins")

        while served < clients.count {
            clients.removeFirst()
            served -= 1
            #expect(try clients[served].read(5) == Array("hello".utf8))
            served += 1
        }
        clients = []
        await TestServer.leave(generation, directory)
        try await loop.shutdownGracefully()
    }

    /// Of the whole process, on all processors.
    private func usage() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}

private final class Greeter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "hello")), promise: nil)
        context.fireChannelActive()
    }
}

/// Answers the sender of the last datagram when nothing more is to be read for the moment.
private final class AnswerAfterRow: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private var sender: SocketAddress?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        sender = unwrapInboundIn(data).remoteAddress
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard let sender else { return }
        self.sender = nil
        let answer = AddressedEnvelope(
            remoteAddress: sender, data: ByteBuffer(string: "hello"))
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
    }
}
