// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// Moments on the monotonic clock, in nanoseconds.
package enum Clock {
    package static var now: UInt64 { Syscall.monotonicNanoseconds() }

    /// A moment that many milliseconds from now; far ahead rather than overflowing.
    package static func after(milliseconds: Int) -> UInt64 {
        let (nanoseconds, overflow) = UInt64(max(0, milliseconds))
            .multipliedReportingOverflow(by: 1_000_000)
        // Half of the range is 292 years: sums of two such numbers still fit.
        return now + (overflow ? UInt64.max / 2 : min(nanoseconds, UInt64.max / 2))
    }

    package static func microseconds(since moment: UInt64) -> Int {
        let now = now
        return now > moment ? Int(clamping: (now - moment) / 1_000) : 0
    }
}
