// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Succession
import SuccessionNIO
import Synchronization
import Testing

@Suite struct RehearsalTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    @Test func request_isPlayedThroughAPipelineAndCountsNowhere() async throws {
        let (generation, directory) = try await TestServer.begin()
        let played = Atomic(0)
        try await Rehearsal.play(
            "GET /rehearsal HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", on: loop
        ) { channel in
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline()
            try pipeline.addHandler(HTTP1DrainHandler(generation))
            try pipeline.addHandler(
                Answering { head in
                    if head.uri == "/rehearsal" { played.add(1, ordering: .relaxed) }
                })
        }.get()
        #expect(played.load(ordering: .relaxed) == 1)
        #expect(generation.connections.count == 0)
        await TestServer.leave(generation, directory)
        #expect(generation.connections.cutCount == 0)
    }

    @Test func serverThatKeepsTheConnection_isLeftBehind() async throws {
        let channel = Mutex<(any Channel)?>(nil)
        try await Rehearsal.play("hello", on: loop, patience: .milliseconds(50)) { opened in
            channel.withLock { $0 = opened }
        }.get()
        #expect(channel.withLock { $0?.isActive } == false)
    }

    @Test func initialiserThatThrows_isTold() async throws {
        await #expect(throws: ChannelError.self) {
            try await Rehearsal.play("hello", on: loop) { _ in
                throw ChannelError.operationUnsupported
            }
            .get()
        }
    }

    /// It makes way for the hand-over; afterwards the thread is as any other.
    @Test(.enabled(if: slice() != nil), arguments: [false, true])
    func threadThatRehearses_hasALongSliceMeanwhile(fails: Bool) async throws {
        let before = try await loop.submit { slice() }.get()
        let meanwhile = Mutex<Int?>(nil)
        try? await Rehearsal.play("hello", on: loop, patience: .milliseconds(50)) { _ in
            meanwhile.withLock { $0 = slice() }
            if fails { throw ChannelError.operationUnsupported }
        }.get()
        let after = try await loop.submit { slice() }.get()
        #expect(try #require(meanwhile.withLock { $0 }) > #require(before))
        #expect(after == before)
    }
}

/// What the scheduler has for the calling thread, in nanoseconds; nil where it does not say.
private func slice() -> Int? {
    let text = try? String(contentsOfFile: "/proc/thread-self/sched", encoding: .utf8)
    let line = text?.split(separator: "\n").first { $0.hasPrefix("se.slice") }
    return line?.split(separator: " ").last.flatMap { Int($0) }
}

/// Answers every request, and closes behind the answer.
private final class Answering: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let heard: @Sendable (HTTPRequestHead) -> Void

    init(_ heard: @escaping @Sendable (HTTPRequestHead) -> Void) {
        self.heard = heard
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): heard(head)
        case .body: break
        case .end:
            let head = HTTPResponseHead(
                version: .http1_1, status: .ok, headers: ["Content-Length": "0"])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
        }
    }
}
