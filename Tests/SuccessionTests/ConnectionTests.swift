// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage
import Testing

@testable import Succession

@Suite(.serialized) struct ConnectionTests {
    /// Both ends of a connection.
    private func pair() throws -> (Connection, OwnedDescriptor) {
        try ReadinessLoop.shared.start()
        let (ours, theirs) = try Syscall.socketPair(type: .stream, nonBlocking: true)
        let entry = ConnectionRegistry().opened(peer: "", protocol: "test") {}
        return (Connection(descriptor: ours, peer: "test", entry: entry), theirs)
    }

    /// Begins to wait for bytes and goes on in some moment of that.
    private func read(_ connection: Connection, patience: Int) async -> Task<Errno?, Never> {
        let task = Task {
            do throws(SuccessionError) {
                _ = try await connection.read()
                return nil as Errno?
            } catch {
                return error.cause
            }
        }
        for _ in 0..<patience { await Task.yield() }
        return task
    }

    @Test(.timeLimit(.minutes(1))) func close_whileAnotherTaskReads_endsItsWait() async throws {
        for patience in 0..<300 {
            let (connection, other) = try pair()
            let task = await read(connection, patience: patience)
            connection.close()
            #expect(await task.value == .badFileDescriptor)
            withExtendedLifetime(other) {}
        }
    }

    /// The number of one that was closed is soon another one's, and who waited for the first must
    /// not end the wait for the second.
    @Test(.timeLimit(.minutes(1))) func close_whenItsNumberIsUsedAgain_endsNoOtherWait()
        async throws
    {
        for patience in 0..<300 {
            let (first, other) = try pair()
            let waiting = await read(first, patience: patience)
            first.close()
            let (second, peer) = try pair()
            let reading = Task { try await second.read() }
            for _ in 0..<patience { await Task.yield() }
            waiting.cancel()
            #expect(await waiting.value == .badFileDescriptor)
            try Syscall.writeAll(peer.rawValue, [7])
            #expect(try await reading.value == [7])
            withExtendedLifetime(other) {}
        }
    }
}
