// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import Synchronization
import Testing

@testable import Succession

/// Requests to reload, their order and their answers; `EndToEndTests` has them asked by operators.
@Suite struct ReloadTests {
    /// What the reloading tells its generation, in order.
    private final class Ear: Sendable {
        private let outcomes = Mutex<[Reloading.Outcome]>([])
        private let (signal, continuation) = AsyncStream.makeStream(of: Void.self)

        func hear(_ outcome: Reloading.Outcome) {
            outcomes.withLock { $0.append(outcome) }
            continuation.yield()
        }

        /// The outcomes, once there are that many.
        func heard(_ count: Int) async -> [Reloading.Outcome] {
            var signals = signal.makeAsyncIterator()
            while outcomes.withLock({ $0.count }) < count { await signals.next() }
            return outcomes.withLock { $0 }
        }
    }

    @ControlThread
    private func make(
        _ streams: ReloadStreams, _ ear: Ear, timeout: Duration = .seconds(20)
    ) throws -> Reloading {
        Reloading(
            streams, timeout: timeout, began: {}, ended: { ear.hear($0) },
            accepted: { _ in Wire.Reloaded(generation: 1, processID: 1, elapsed: .zero) })
    }

    @ControlThread
    private func ask(_ reloading: Reloading, _ names: String..., within limit: Duration? = nil) {
        for name in names {
            reloading.ask(Reloading.Asker(name, session: nil), within: limit)
        }
    }

    private func start() async throws -> (Reloading, ReloadStreams, Ear) {
        try ReadinessLoop.shared.start()
        let (streams, ear) = (ReloadStreams(), Ear())
        return (try await make(streams, ear), streams, ear)
    }

    @Test func requests_whileOneIsOut_areAnsweredTogetherByTheNext() async throws {
        let (reloading, streams, ear) = try await start()
        var requests = streams.stream().makeAsyncIterator()
        await ask(reloading, "a", "b", "c")
        let first = try #require(await requests.next())
        #expect(first.askedBy == ["a"])
        first.accept()
        let second = try #require(await requests.next())
        #expect(second.askedBy == ["b", "c"])
        second.refuse("line 3")
        let heard = await ear.heard(2)
        #expect(heard.map(\.askedBy) == [["a"], ["b", "c"]])
        #expect(heard[0].failure == nil)
        #expect(heard[1].failure == Failure(code: .application, reason: "line 3"))
    }

    @Test func secondAnswer_isNotHeard() async throws {
        let (reloading, streams, ear) = try await start()
        var requests = streams.stream().makeAsyncIterator()
        await ask(reloading, "a")
        let request = try #require(await requests.next())
        request.refuse("no")
        request.accept()
        await ask(reloading, "b")
        try #require(await requests.next()).accept()
        let heard = await ear.heard(2)
        #expect(heard.map { $0.failure?.code } == [.application, nil])
    }

    @Test func request_letGo_isRefused() async throws {
        let (reloading, streams, ear) = try await start()
        var requests = streams.stream().makeAsyncIterator()
        await ask(reloading, "a")
        _ = await requests.next()
        #expect(await ear.heard(1)[0].failure?.code == .unanswered)
    }

    @Test func request_inALoopThatEnds_isRefused() async throws {
        let (reloading, streams, ear) = try await start()
        var stream: AsyncStream<ReloadRequest>? = streams.stream()
        await ask(reloading, "a")
        #expect(stream != nil)
        stream = nil
        #expect(await ear.heard(1)[0].failure?.code == .unanswered)
        // And nobody is left.
        await ask(reloading, "b")
        #expect(await ear.heard(2)[1].failure?.code == .unsupported)
    }

    @Test func severalLoops_theOldestGetsAll() async throws {
        let (reloading, streams, ear) = try await start()
        var first: AsyncStream<ReloadRequest>? = streams.stream()
        var second = streams.stream().makeAsyncIterator()
        await ask(reloading, "a")
        try #require(await first?.first { _ in true }).accept()
        first = nil
        await ask(reloading, "b")
        let request = try #require(await second.next())
        #expect(request.askedBy == ["b"])
        request.accept()
        #expect(await ear.heard(2).allSatisfy { $0.failure == nil })
    }

    @Test func application_thatHangs_isOverdueAndStillHeardOf() async throws {
        try ReadinessLoop.shared.start()
        let (streams, ear) = (ReloadStreams(), Ear())
        let reloading = try await make(streams, ear, timeout: .milliseconds(30))
        var requests = streams.stream().makeAsyncIterator()
        await ask(reloading, "a")
        let request = try #require(await requests.next())
        let overdue = await ear.heard(1)[0]
        #expect(overdue.failure?.code == .timeout)
        #expect(!overdue.isLate)
        request.accept()
        let late = await ear.heard(2)[1]
        #expect(late.failure == nil)
        #expect(late.isLate)
    }

    @Test func end_refusesAllWhoWaitAndEndsTheLoops() async throws {
        let (reloading, streams, ear) = try await start()
        var requests = streams.stream().makeAsyncIterator()
        await ask(reloading, "a", "b")
        let request = try #require(await requests.next())
        await reloading.end(Failure(code: .notServing, reason: "over"))
        request.accept()
        #expect(await requests.next() == nil)
        var later = streams.stream().makeAsyncIterator()
        #expect(await later.next() == nil)
        let heard = await ear.heard(1)
        #expect(heard.map { $0.failure?.code } == [.notServing])
    }
}
