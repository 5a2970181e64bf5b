// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Synchronization
import Testing

@testable import Succession

/// The scoped form of a generation.
@Suite(.serialized, .timeLimit(.minutes(1))) struct RunTests {
    private struct Trouble: Error, Equatable {}

    /// Runs a body as a generation; returns what became of it and the events up to then.
    private func run<Result: Sendable>(
        _ body: @escaping @Sendable (Generation) async throws -> Result
    ) async -> (Swift.Result<Result, any Error>, [SuccessionEvent.Kind]) {
        let directory = "/tmp/succession-\(UInt32.random(in: 0 ... .max))"
        let events = Mutex<[SuccessionEvent.Kind]>([])
        var configuration = GenerationConfiguration()
        configuration.runtimeDirectory = directory
        configuration.signals = [:]
        configuration.drainDeadline = .seconds(600)
        configuration.onEvent = { event in events.withLock { $0.append(event.kind) } }
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(
                try await Generation.run("inside", configuration: configuration, body))
        } catch {
            outcome = .failure(error)
        }
        for entry in (try? Syscall.listDirectory(directory)) ?? [] {
            try? Syscall.unlink(directory + "/" + entry)
        }
        try? Syscall.removeDirectory(directory)
        return (outcome, events.withLock { $0 })
    }

    /// Opens a connection that ends when it is told that the generation drains.
    private func openConnection(_ generation: Generation) {
        let entry = generation.connections.register(peer: "", protocol: "test") {}
        entry.onDrain { _ in Task { entry.close() } }
    }

    private func drained(_ events: [SuccessionEvent.Kind], cut: Int = 0) -> Bool {
        events.contains { if case .drainEnded(cut, _) = $0 { true } else { false } }
    }

    @Test func body_thatReturns_isFollowedByADrain() async throws {
        let (outcome, events) = await run { generation in
            try await generation.ready()
            openConnection(generation)
            return generation
        }
        let generation = try outcome.get()
        #expect(generation.state == .draining(deadline: .seconds(600)))
        #expect(generation.connections.count == 0)
        #expect(drained(events))
    }

    @Test func body_thatThrowsAfterReady_isFollowedByADrain() async throws {
        let (outcome, events) = await run { generation in
            try await generation.ready()
            openConnection(generation)
            throw Trouble()
        }
        #expect(throws: Trouble.self) { try outcome.get() }
        #expect(drained(events))
    }

    @Test func body_thatThrowsBeforeReady_servesNobody() async throws {
        let path = "/tmp/succession-\(UInt32.random(in: 0 ... .max)).sock"
        let (outcome, events) = await run { generation in
            _ = try generation.listener("echo", orBind: .unix(path))
            throw Trouble()
        }
        #expect(throws: Trouble.self) { try outcome.get() }
        #expect(drained(events))
        #expect(!events.contains { if case .serving = $0 { true } else { false } })
        #expect((try? Syscall.linkStatus(path)) == nil, "its socket is left behind")
    }

    @Test func body_thatReturnsWhileItDrains_leavesTheDeadlineAsItIs() async throws {
        let (outcome, events) = await run { generation in
            try await generation.ready()
            let entry = generation.connections.register(peer: "", protocol: "test") {}
            await generation.drain(deadline: .seconds(900))
            entry.onShorterDrain { _ in Issue.record("the deadline was brought forward") }
            Task {
                // The drain is asked for when the body has returned, if it is.
                for _ in 0..<100 { await Task.yield() }
                entry.close()
            }
        }
        try outcome.get()
        #expect(drained(events))
    }

    @Test func task_thatIsCancelled_drainsBeforeItReturns() async throws {
        let isServing = OneShot<Void>()
        let task = Task {
            await run { generation in
                try await generation.ready()
                openConnection(generation)
                isServing.fulfil(())
                await generation.draining()
                #expect(Task.isCancelled)
                #expect(generation.state == .serving)
            }
        }
        await isServing.value()
        task.cancel()
        let (outcome, events) = await task.value
        try outcome.get()
        #expect(drained(events))
    }

    @Test func begin_thatFails_callsNoBody() async throws {
        await #expect {
            try await Generation.run("no/name") { _ in Issue.record("the body was called") }
        } throws: { ($0 as? SuccessionError)?.code == .invalidServiceName }
    }
}
