// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Synchronization
import SystemPackage
import Testing

@testable import Succession

@Suite(.serialized) struct ConnectionTests {
    /// Both ends of a connection.
    private func pair() throws -> (Connection, OwnedDescriptor) {
        try ReadinessLoop.shared.start()
        let (ours, theirs) = try Syscall.socketPair(type: .stream, nonBlocking: true)
        let entry = ConnectionRegistry().register(peer: "", protocol: "test") {}
        return (Connection(descriptor: ours, peer: "test", entry: entry), theirs)
    }

    /// Begins to wait for bytes and returns at some moment of that.
    ///
    /// The yields wait for nothing: each number of them tries another order of the two tasks.
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

    /// A task that reads has the number in hand while another one closes: no other client's bytes
    /// may be what it gets.
    @Test func close_whileTheDescriptorIsLent_givesItsNumberToNobody() throws {
        let (connection, other) = try pair()
        let number = connection.withUnsafeDescriptor { descriptor in
            let number = descriptor.rawValue
            connection.close()
            let next = try? Syscall.socketPair(type: .stream, nonBlocking: true)
            #expect(next?.0.rawValue != number && next?.1.rawValue != number)
            return number
        }
        #expect(connection.withUnsafeDescriptor { $0.rawValue } == -1)
        #expect((try? Syscall.status(of: number)) == nil)
        withExtendedLifetime(other) {}
    }

    /// A caller that waits for a descriptor is told when there is one, and not before.
    @Test func close_whenItIsToldOf_hasGivenTheNumberBack() throws {
        try ReadinessLoop.shared.start()
        let (ours, theirs) = try Syscall.socketPair(type: .stream, nonBlocking: true)
        let registry = ConnectionRegistry()
        let connection = Connection(
            descriptor: ours, peer: "", entry: registry.register(peer: "", protocol: "test") {})
        let number = ours.rawValue
        let isFree = Mutex<Bool?>(nil)
        _ = registry.onNextClose {
            isFree.withLock { $0 = (try? Syscall.status(of: number)) == nil }
        }
        connection.close()
        #expect(isFree.withLock { $0 } == true)
        withExtendedLifetime(theirs) {}
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
            // Another order of the tasks each time, as above.
            for _ in 0..<patience { await Task.yield() }
            waiting.cancel()
            #expect(await waiting.value == .badFileDescriptor)
            try Syscall.writeAll(peer.rawValue, [7])
            #expect(try await reading.value == [7])
            withExtendedLifetime(other) {}
        }
    }
}
