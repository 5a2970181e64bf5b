// SPDX-License-Identifier: Apache-2.0

#if ServiceLifecycle
import ServiceLifecycle
import Succession

/// Where the services of a group are counted as they start.
struct StartLine: Sendable {
    private let count: Int
    private let starts: AsyncStream<Void>
    private let start: AsyncStream<Void>.Continuation

    init(count: Int) {
        self.count = count
        (starts, start) = AsyncStream.makeStream()
    }

    func pass() {
        start.yield()
    }

    /// Returns when all have passed, or when the task is cancelled.
    func allPassed() async {
        var starts = starts.makeAsyncIterator()
        for _ in 0..<count where await starts.next() == nil { return }
    }
}
#endif
