// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOPosix
import Succession
import SuccessionNIO
import Testing

/// A server in one call.
@Suite struct ServeTests {
    /// SIGHUP is never taken: it also says that a terminal was closed.
    @Test(
        arguments: [[:], [.userDefined2: .upgrade]]
            as [[GenerationConfiguration.Signal: GenerationConfiguration.SignalAction]])
    func hangUp_whenTheTableDoesNotNameIt_isLeftAlone(
        signals: [GenerationConfiguration.Signal: GenerationConfiguration.SignalAction]
    ) async throws {
        let directory = NSTemporaryDirectory() + "succession-serve-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let (events, event) = AsyncStream.makeStream(of: SuccessionEvent.Kind.self)
        var configuration = GenerationConfiguration()
        configuration.runtimeDirectory = directory
        configuration.signals = signals
        configuration.exitGrace = nil
        configuration.onEvent = { event.yield($0.kind) }
        let generations = AsyncStream.makeStream(of: Generation.self)
        // Not in the runtime directory, which is made when the generation begins.
        let path = directory + ".socket"
        let serving = Task { [configuration] in
            defer { event.finish() }
            try await Generation.serve(
                "inside", at: ListenAddress("unix:\(path)"), configuration: configuration
            ) { channel, generation in
                generations.continuation.yield(generation)
            }
        }
        for await kind in events {
            guard case .serving = kind else { continue }
            var current = sigaction()
            sigaction(SIGHUP, nil, &current)
            #expect(current.__sigaction_handler.sa_handler == nil, "SIGHUP is not left alone")
            break
        }
        let client = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(unixDomainSocketPath: path).get()
        for await generation in generations.stream {
            await generation.drain(deadline: .zero)
            break
        }
        try await serving.value
        try await client.closeFuture.get()
    }

    /// SwiftNIO's default is to close when it reads the end, before an answer that takes a while.
    @Test func client_thatShutsDownWriting_isAnswered() async throws {
        let directory = NSTemporaryDirectory() + "succession-serve-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let (events, event) = AsyncStream.makeStream(of: SuccessionEvent.Kind.self)
        var configuration = GenerationConfiguration()
        configuration.runtimeDirectory = directory
        configuration.signals = [.userDefined1: .drain]
        configuration.exitGrace = nil
        configuration.onEvent = { event.yield($0.kind) }
        let path = directory + ".socket"
        let serving = Task { [configuration] in
            defer { event.finish() }
            try await Generation.serveHTTP(
                "inside", at: ListenAddress("unix:\(path)"), configuration: configuration
            ) { [NumberedAnswers(.later)] }
        }
        for await kind in events {
            if case .serving = kind { break }
        }
        let client = try TestClient(path: path)
        try client.write(Array("GET / HTTP/1.1\r\nHost: test\r\n\r\n".utf8))
        client.shutDownWriting()
        var answer = ""
        while case let bytes = try client.readUntilEnd(1_000), !bytes.isEmpty {
            answer += String(decoding: bytes, as: UTF8.self)
        }
        #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.contains("X-Number: 1\r\n"))
        kill(getpid(), SIGUSR1)
        try await serving.value
    }
}
