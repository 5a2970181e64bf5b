// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Testing

@testable import Succession

/// A generation in the process of the test: the first of its line, without signals.
@Suite(.serialized) struct GenerationTests {
    private func begin() async throws -> (Generation, String) {
        let directory = "/tmp/succession-\(UInt32.random(in: 0 ... .max))"
        var configuration = GenerationConfiguration()
        configuration.runtimeDirectory = directory
        configuration.signals = [:]
        configuration.exitGrace = nil
        configuration.onEvent = { _ in }
        return (try await Generation.begin("inside", configuration: configuration), directory)
    }

    private func leave(_ generation: Generation, _ directory: String) async {
        await generation.drain(deadline: .zero)
        await generation.drained()
        for entry in (try? Syscall.listDirectory(directory)) ?? [] {
            try? Syscall.unlink(directory + "/" + entry)
        }
        try? Syscall.removeDirectory(directory)
    }

    /// An application that computes must not keep operators and deadlines waiting.
    @Test func application_afterEachCall_isNotOnTheControlThread() async throws {
        let (generation, directory) = try await begin()
        #expect(!ReadinessLoop.shared.isCurrent)
        let listener = try generation.listener("echo", orBind: ListenAddress("tcp:127.0.0.1:0"))
        try await generation.ready()
        #expect(!ReadinessLoop.shared.isCurrent)
        async let accepted = listener.accept()
        let client = try Syscall.openSocket(family: .ipv4, type: .stream, nonBlocking: false)
        try Syscall.connect(client.rawValue, to: listener.address.socketAddress)
        let connection = try #require(try await accepted)
        #expect(!ReadinessLoop.shared.isCurrent)
        async let bytes = connection.read()
        #expect(try Syscall.send(client.rawValue, [1, 2, 3]) == 3)
        #expect(try await bytes == [1, 2, 3])
        #expect(!ReadinessLoop.shared.isCurrent)
        try await connection.write([4])
        #expect(!ReadinessLoop.shared.isCurrent)
        connection.close()
        await leave(generation, directory)
        #expect(!ReadinessLoop.shared.isCurrent)
    }

    /// What ends a process behind its author's back is asked for.
    @Test func exitGrace_unlessItIsSet_isNone() {
        #expect(GenerationConfiguration().exitGrace == nil)
    }

    @Test func signals_unlessTheyAreSet_upgradeDrainAndStop() {
        let signals = GenerationConfiguration().signals
        #expect(
            signals == [.userDefined2: .upgrade, .terminate: .drain, .interrupt: .stop])
        #expect(signals.keys.map(\.rawValue).sorted() == [2, 12, 15])
        #expect(GenerationConfiguration.Signal(rawValue: 1) == .hangUp)
        #expect("\(GenerationConfiguration.Signal.terminate)" == "SIGTERM")
    }

    @Test func states_fromBeginToDrain_areToldInOrder() async throws {
        let (generation, directory) = try await begin()
        var states = generation.states.makeAsyncIterator()
        #expect(await states.next() == .starting)
        try await generation.ready()
        #expect(await states.next() == .serving)
        await generation.drain(deadline: .seconds(1))
        #expect(await states.next() == .draining(deadline: .seconds(1)))
        await generation.draining()
        await leave(generation, directory)
    }

    @Test func listener_afterReady_isRefused() async throws {
        let (generation, directory) = try await begin()
        try await generation.ready()
        #expect {
            try generation.listener("late", orBind: ListenAddress("tcp:127.0.0.1:0"))
        } throws: { ($0 as? SuccessionError)?.code == .invalidState }
        await leave(generation, directory)
    }

    @Test func listener_thatThisGenerationHas_isNamedInTheError() async throws {
        let (generation, directory) = try await begin()
        let first = try generation.listener("echo", orBind: ListenAddress("tcp:127.0.0.1:0"))
        #expect {
            try generation.listener("echo", orBind: first.address)
        } throws: { error in
            guard let error = error as? SuccessionError else { return false }
            return error.code == .addressInUse
                && error.message.contains("this generation has taken it already, as 'echo'")
        }
        await leave(generation, directory)
    }

    @Test(arguments: ["", "-", "a:b", "line\nbreak", String(repeating: "x", count: 256)])
    func listener_withAnImpossibleName_isRefused(name: String) async throws {
        let (generation, directory) = try await begin()
        #expect {
            try generation.listener(name, orBind: ListenAddress("tcp:127.0.0.1:0"))
        } throws: { ($0 as? SuccessionError)?.code == .invalidName }
        await leave(generation, directory)
    }

    @Test func ready_whenToldToLeaveBefore_throws() async throws {
        let (generation, directory) = try await begin()
        await generation.drain(deadline: .zero)
        await #expect {
            try await generation.ready()
        } throws: { ($0 as? SuccessionError)?.code == .aborted }
        await leave(generation, directory)
    }

    @Test func ready_aSecondTime_isAnError() async throws {
        let (generation, directory) = try await begin()
        try await generation.ready()
        await #expect {
            try await generation.ready()
        } throws: {
            ($0 as? SuccessionError)?.code == .invalidState
        }
        await leave(generation, directory)
    }

    /// What an author has forgotten is in the log.
    @Test func ready_whenItIsOverdue_andWithoutAListener_isWarnedOf() async throws {
        let directory = "/tmp/succession-\(UInt32.random(in: 0 ... .max))"
        let (events, event) = AsyncStream.makeStream(of: SuccessionEvent.self)
        var configuration = GenerationConfiguration()
        configuration.runtimeDirectory = directory
        configuration.signals = [:]
        configuration.exitGrace = nil
        configuration.readyTimeout = .milliseconds(100)
        configuration.onEvent = { event.yield($0) }
        let generation = try await Generation.begin("inside", configuration: configuration)
        var warnings = events.filter { $0.level == .warning }.makeAsyncIterator()
        let overdue = await warnings.next()
        #expect(overdue?.message.hasPrefix("ready() has not been called") == true)
        try await generation.ready()
        let empty = await warnings.next()
        #expect(empty?.message.hasPrefix("ready() without a listener") == true)
        await leave(generation, directory)
    }
}
