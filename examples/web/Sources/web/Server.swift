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
    private let generationID = String(getpid())

    init(_ generation: Generation, threads: MultiThreadedEventLoopGroup) {
        self.generation = generation
        self.threads = threads
    }

    // snippet adopt
    func serveHTTP(at address: ListenAddress) async throws {
        let listener = try generation.listener("http", orBind: address)
        _ = try await ServerBootstrap(group: threads)
            // Who has asked may shut down writing, and waits for the answer.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
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

    func serveEcho(at address: ListenAddress) async throws {
        let listener = try generation.listener("echo", orBind: address)
        _ = try await ServerBootstrap(group: threads)
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

    func serveDatagrams(at address: ListenAddress) async throws {
        let socket = try generation.listener("udp", orBind: address)
        _ = try await DatagramBootstrap(group: threads)
            .channelInitializer { [generationID] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        DatagramHandler(generationID: generationID))
                }
            }
            .adopt(socket, of: generation)
    }
}
