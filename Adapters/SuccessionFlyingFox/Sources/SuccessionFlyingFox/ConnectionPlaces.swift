// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// How many connections are relayed at a time in this process.
///
/// Each takes three descriptors, and FlyingFox's server ends when it cannot have one.
final class ConnectionPlaces: Sendable {
    static let shared = ConnectionPlaces()
    /// For all else that the process has open.
    private static let reserve = 64
    private static let descriptorsOfAConnection = 3
    /// However low the limit of descriptors is.
    private static let least = 8

    private struct State {
        var taken = 0
        var waiting: [AsyncStream<Void>.Continuation] = []
    }

    private let state = Mutex(State())

    /// Waits for a place, which is to be freed; false if the task is cancelled.
    func take() async -> Bool {
        while !Task.isCancelled {
            let count = Self.count
            let change = state.withLock { state -> AsyncStream<Void>? in
                if state.taken < count {
                    state.taken += 1
                    return nil
                }
                let (change, continuation) = AsyncStream.makeStream(of: Void.self)
                state.waiting.append(continuation)
                return change
            }
            guard let change else { return true }
            for await _ in change { break }
        }
        return false
    }

    func free() {
        let waiting = state.withLock { state in
            state.taken -= 1
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.yield() }
    }

    private static var count: Int {
        var limit = rlimit()
        // Fails for no reason that could apply here.
        getrlimit(__rlimit_resource_t(7) /* RLIMIT_NOFILE */, &limit)
        let descriptors = Int(clamping: limit.rlim_cur)
        return max((descriptors - reserve) / descriptorsOfAConnection, least)
    }
}
