// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The application's loops over ``Generation/reloads``.
final class ReloadStreams: Sendable {
    private struct State {
        var loops: [(id: Int, continuation: AsyncStream<ReloadRequest>.Continuation)] = []
        var lastID = 0
        var isOver = false
    }

    private let state = Mutex(State())

    /// A loop of its own for each caller; over at once if the generation has begun to leave.
    func stream() -> AsyncStream<ReloadRequest> {
        let (stream, continuation) = AsyncStream.makeStream(of: ReloadRequest.self)
        let id = state.withLock { state -> Int? in
            guard !state.isOver else { return nil }
            state.lastID += 1
            state.loops.append((state.lastID, continuation))
            return state.lastID
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in self?.remove(id) }
        return stream
    }

    /// Gives the request to the oldest loop; false if there is none.
    func deliver(_ request: ReloadRequest) -> Bool {
        let loops = state.withLock { $0.loops }
        for (_, continuation) in loops {
            if case .enqueued = continuation.yield(request) { return true }
        }
        return false
    }

    /// Ends every loop, and those that are still to come.
    func finish() {
        let loops = state.withLock { state in
            state.isOver = true
            return state.loops
        }
        for (_, continuation) in loops { continuation.finish() }
    }

    private func remove(_ id: Int) {
        state.withLock { state in state.loops.removeAll { $0.id == id } }
    }
}
