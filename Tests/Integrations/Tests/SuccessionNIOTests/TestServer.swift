// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOPosix
import Succession
import SuccessionNIO

/// A generation in the process of the test, without a predecessor, that serves one adopted listener.
struct TestServer {
    /// Has one thread: what comes first on one connection is read before what comes later on another.
    private static let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    let generation: Generation
    let listener: Listener
    private let directory: String
    private let taken: AsyncStream<Void>
    private let ended: AsyncStream<Void>

    static func begin() async throws -> (Generation, String) {
        let directory = NSTemporaryDirectory() + "succession-nio-\(UInt32.random(in: 0 ... .max))"
        var configuration = GenerationConfiguration()
        configuration.runtimeDirectory = directory
        configuration.signals = [:]
        configuration.exitGrace = nil
        configuration.onEvent = { _ in }
        return (try await Generation.begin("inside", configuration: configuration), directory)
    }

    init(
        _ initialise: @escaping @Sendable (any Channel, Generation) throws -> Void
    ) async throws {
        let take: AsyncStream<Void>.Continuation
        let end: AsyncStream<Void>.Continuation
        (taken, take) = AsyncStream.makeStream()
        (ended, end) = AsyncStream.makeStream()
        (generation, directory) = try await Self.begin()
        listener = try generation.listener("test", orBind: ListenAddress("tcp:127.0.0.1:0"))
        _ = try await ServerBootstrap(group: Self.loop)
            .childChannelInitializer { [generation, take, end] channel in
                // The generation has counted it, and registered for its end, before it is here.
                take.yield()
                channel.closeFuture.whenComplete { _ in end.yield() }
                return channel.eventLoop.makeCompletedFuture {
                    try initialise(channel, generation)
                }
            }
            .adopt(listener, of: generation)
        try await generation.ready()
    }

    func connect() throws -> TestClient {
        try TestClient(port: UInt16("\(listener.address)".split(separator: ":").last ?? "") ?? 0)
    }

    /// Returns when one more connection is taken.
    func connectionTaken() async { for await _ in taken { return } }

    /// Returns when one more connection has ended.
    func connectionEnded() async { for await _ in ended { return } }

    /// Returns how many connections had to be cut, at the deadline of the drain that was begun or
    /// at once.
    func stop(atOnce: Bool = false) async -> Int {
        if !atOnce { await generation.drained() }
        await Self.leave(generation, directory)
        return generation.connections.cutCount
    }

    static func leave(_ generation: Generation, _ directory: String) async {
        await generation.drain(deadline: .zero)
        await generation.drained()
        try? FileManager.default.removeItem(atPath: directory)
    }
}
