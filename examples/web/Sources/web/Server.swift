// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Succession
import SuccessionNIO

/// What listens, and what is put behind each connection.
struct Server {
    private let generation: Generation
    private let threads: MultiThreadedEventLoopGroup
    private let loops: [any EventLoop]
    private var listeners = 0
    private let generationID = String(getpid())

    init(_ generation: Generation, threads: MultiThreadedEventLoopGroup) {
        self.generation = generation
        self.threads = threads
        loops = Array(threads.makeIterator())
    }

    /// Listeners get their threads from here and connections theirs from the group, each from the
    /// first one on: so the first connection stays with the thread that takes it.
    private mutating func nextLoop() -> any EventLoop {
        defer { listeners += 1 }
        return loops[listeners % loops.count]
    }

    // snippet rehearse
    /// Has a thread play a request: the first client is not to wait longer than the second.
    func rehearse() -> EventLoopFuture<Void> {
        let request = "GET / HTTP/1.1\r\nHost: rehearsal\r\nConnection: close\r\n\r\n"
        return Rehearsal.play(request, on: loops[loops.count - 1]) { [generation] channel in
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline()
            try pipeline.addHandler(HTTP1DrainHandler(generation))
            try pipeline.addHandler(HTTPHandler(generationID: ""))
        }
    }
    // end rehearse

    // snippet adopt
    mutating func serveHTTP(at address: ListenAddress) async throws {
        let listener = try generation.listener("http", orBind: address)
        _ = try await ServerBootstrap(group: nextLoop(), childGroup: threads)
            .childChannelInitializer { [generation, generationID] channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(HTTP1DrainHandler(generation))
                    try pipeline.addHandler(HTTPHandler(generationID: generationID))
                }
            }
            .adopt(listener, of: generation)
    }
    // end adopt

    mutating func serveEcho(at address: ListenAddress) async throws {
        let listener = try generation.listener("echo", orBind: address)
        _ = try await ServerBootstrap(group: nextLoop(), childGroup: threads)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { [generationID] channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(BackPressureHandler())
                    try pipeline.addHandler(EchoHandler(generationID: generationID))
                }
            }
            .adopt(listener, of: generation)
    }

    mutating func serveDatagrams(at address: ListenAddress) async throws {
        let socket = try generation.listener("udp", orBind: address)
        _ = try await DatagramBootstrap(group: nextLoop())
            .channelInitializer { [generationID] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        DatagramHandler(generationID: generationID))
                }
            }
            .adopt(socket, of: generation)
    }
}
