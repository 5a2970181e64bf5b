// SPDX-License-Identifier: Apache-2.0

#if ServiceLifecycle
import ServiceLifecycle
import Succession

/// Waits until all services of a group have begun to start.
struct StartupBarrier: Sendable {
    private let count: Int
    private let starts: AsyncStream<Void>
    private let start: AsyncStream<Void>.Continuation

    init(count: Int) {
        self.count = count
        (starts, start) = AsyncStream.makeStream()
    }

    func arrive() {
        start.yield()
    }

    /// Returns when all have arrived, or when the task is cancelled.
    func allArrived() async {
        var starts = starts.makeAsyncIterator()
        for _ in 0..<count where await starts.next() == nil { return }
    }
}
#endif
