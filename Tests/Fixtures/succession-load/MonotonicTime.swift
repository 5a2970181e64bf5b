// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A point on CLOCK_MONOTONIC, which every process of the machine shares.
struct MonotonicTime: Comparable, Sendable {
    var nanoseconds: Int64

    static var now: MonotonicTime {
        var value = timespec()
        clock_gettime(CLOCK_MONOTONIC, &value)
        return MonotonicTime(
            nanoseconds: Int64(value.tv_sec) * 1_000_000_000 + Int64(value.tv_nsec))
    }

    static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    static func + (time: MonotonicTime, nanoseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: time.nanoseconds + nanoseconds)
    }

    static func - (left: MonotonicTime, right: MonotonicTime) -> Int64 {
        left.nanoseconds - right.nanoseconds
    }

    /// The time left until this point, rounded up for poll(2), 0 once it has passed.
    var pollTimeout: Int32 {
        let left = max(0, self - .now)
        return Int32(clamping: (left + 999_999) / 1_000_000)
    }
}
