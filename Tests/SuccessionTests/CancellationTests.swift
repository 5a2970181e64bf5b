// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage
import Testing

@testable import Succession

/// What each call does in a task that is cancelled: before the call, or while it waits.
@Suite(.serialized, .timeLimit(.minutes(1))) struct CancellationTests {
    private func begin(
        onEvent: @escaping @Sendable (SuccessionEvent) -> Void = { _ in }
    ) async throws -> (Generation, String) {
        let directory = "/tmp/succession-\(UInt32.random(in: 0 ... .max))"
        var configuration = GenerationConfiguration()
        configuration.runtimeDirectory = directory
        configuration.signals = [:]
        configuration.onEvent = onEvent
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

    /// Runs a call in a task that is cancelled already.
    private func cancelled<Result: Sendable>(
        _ call: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await call()
        }.value
    }

    /// Runs a call in a task that is cancelled in the middle, at another moment each time.
    private func interrupted(_ call: @escaping @Sendable () async -> Void) async {
        for patience in [0, 1, 10, 100] {
            let task = Task { await call() }
            for _ in 0..<patience { await Task.yield() }
            task.cancel()
            await task.value
        }
    }

    private func pair() throws -> (Connection, OwnedDescriptor) {
        try ReadinessLoop.shared.start()
        let (ours, theirs) = try Syscall.socketPair(type: .stream, nonBlocking: true)
        let entry = ConnectionRegistry().register(peer: "", protocol: "test") {}
        return (Connection(descriptor: ours, peer: "test", entry: entry), theirs)
    }

    // MARK: Waits, which end

    @Test func draining_whileItServes_returns_andTheGenerationServesOn() async throws {
        let (generation, directory) = try await begin()
        try await generation.ready()
        try await cancelled { await generation.draining() }
        await interrupted { await generation.draining() }
        #expect(generation.state == .serving)
        await leave(generation, directory)
    }

    @Test func drained_whileItServes_returns_andTheGenerationServesOn() async throws {
        let (generation, directory) = try await begin()
        try await generation.ready()
        try await cancelled { await generation.drained() }
        await interrupted { await generation.drained() }
        #expect(generation.state == .serving)
        await leave(generation, directory)
    }

    @Test func drained_whileItDrains_returns_andTheDrainGoesOn() async throws {
        let (generation, directory) = try await begin()
        try await generation.ready()
        let entry = generation.connections.register(peer: "", protocol: "test") {}
        await generation.drain(deadline: .seconds(600))
        try await cancelled { await generation.drained() }
        await interrupted { await generation.drained() }
        #expect(generation.state == .draining(deadline: .seconds(600)))
        #expect(generation.connections.count == 1)
        entry.close()
        await generation.drained()
        await leave(generation, directory)
    }

    @Test func accept_returnsNil_andLeavesTheConnectionInTheQueue() async throws {
        let (generation, directory) = try await begin()
        let listener = try generation.listener("echo", orBind: ListenAddress("tcp:127.0.0.1:0"))
        try await generation.ready()
        await interrupted {
            let connection = try? await listener.accept()
            #expect(connection == nil)
        }
        let client = try Syscall.openSocket(family: .ipv4, type: .stream, nonBlocking: false)
        try Syscall.connect(client.rawValue, to: listener.address.socketAddress)
        #expect(try await cancelled { try await listener.accept() } == nil)
        let connection = try #require(try await listener.accept())
        connection.close()
        await leave(generation, directory)
    }

    @Test func reloads_whoseLoopIsCancelled_areNotThere() async throws {
        let (generation, directory) = try await begin()
        try await generation.ready()
        let reloads = generation.reloads
        await interrupted { for await _ in reloads {} }
        #expect(!generation.core.reloadStreams.deliver(ReloadRequest(askedBy: []) { _ in }))
        await leave(generation, directory)
    }

    @Test func read_givesWhatIsThere_andThrowsInThePlaceOfAWait() async throws {
        let (connection, other) = try pair()
        try Syscall.writeAll(other.rawValue, [1, 2])
        #expect(try await cancelled { try await connection.read() } == [1, 2])
        let error = await #expect(throws: SuccessionError.self) {
            _ = try await cancelled { try await connection.read() }
        }
        #expect(error?.code == .cancelled)
        await interrupted {
            await #expect(throws: SuccessionError.self) { _ = try await connection.read() }
        }
        try Syscall.writeAll(other.rawValue, [3])
        #expect(try await connection.read() == [3])
    }

    @Test func write_whenThereIsNoRoom_throws() async throws {
        let (connection, other) = try pair()
        try await cancelled { try await connection.write([1]) }
        let error = await #expect(throws: SuccessionError.self) {
            let bytes = [UInt8](repeating: 0, count: 1 << 22)
            try await cancelled { try await connection.write(bytes) }
        }
        #expect(error?.code == .cancelled)
        withExtendedLifetime(other) {}
    }

    // MARK: Steps, which are taken all the same

    @Test func begin_ready_andDrain_areDone() async throws {
        let (generation, directory) = try await cancelled { try await begin() }
        let listener = try generation.listener("echo", orBind: ListenAddress("tcp:127.0.0.1:0"))
        try await cancelled { try await generation.ready() }
        #expect(generation.state == .serving)
        let client = try Syscall.openSocket(family: .ipv4, type: .stream, nonBlocking: false)
        try Syscall.connect(client.rawValue, to: listener.address.socketAddress)
        try #require(try await listener.accept()).close()
        try await cancelled { await generation.drain(deadline: .seconds(3)) }
        #expect(generation.state == .draining(deadline: .seconds(3)))
        await leave(generation, directory)
    }

    @Test func upgrade_isAskedFor() async throws {
        let (events, event) = AsyncStream.makeStream(of: SuccessionEvent.Kind.self)
        let (generation, directory) = try await begin { event.yield($0.kind) }
        await generation.drain(deadline: .zero)
        // There is none while it drains, and that is told.
        try await cancelled { await generation.upgrade() }
        let refusal = await events.first {
            if case .upgradeRefused = $0 { true } else { false }
        }
        #expect(refusal != nil)
        await leave(generation, directory)
    }

    @Test func refuse_returnsTheErrorToLeaveWith() async throws {
        let (generation, directory) = try await begin()
        let error = try await cancelled { await generation.refuse("not this state") }
        #expect(error.code == .refused)
        #expect(error.message == "not this state")
        await leave(generation, directory)
    }
}
