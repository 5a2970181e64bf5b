// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Spaces requests evenly by absolute deadlines, so that a slow answer does not lower the rate.
struct Pacer {
    private let interval: Int64
    private var next: MonotonicTime

    init(interval: Int64) {
        self.interval = interval
        self.next = .now
    }

    init(perSecond rate: Int) {
        self.init(interval: 1_000_000_000 / Int64(max(1, rate)))
    }

    /// Returns when the next request is due.
    ///
    /// A client that is late by more than a tenth of a second starts afresh: after a stall it does not
    /// send the burst of requests that are due, which no real client would send.
    mutating func wait() {
        next = next + interval
        let now = MonotonicTime.now
        if now - next > 100_000_000 { next = now }
        var deadline = timespec(
            tv_sec: Int(next.nanoseconds / 1_000_000_000),
            tv_nsec: Int(next.nanoseconds % 1_000_000_000))
        // Paces the load; nothing is waited for.
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nil) == EINTR {}
    }
}
