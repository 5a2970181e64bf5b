// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// Reads the monotonic clock, in nanoseconds.
package enum Clock {
    package static var now: UInt64 { Syscall.monotonicNanoseconds() }

    /// The time so many milliseconds from now, clamped to 292 years.
    package static func after(milliseconds: Int) -> UInt64 {
        let (nanoseconds, overflow) = UInt64(max(0, milliseconds))
            .multipliedReportingOverflow(by: 1_000_000)
        // The sum of two values of half the range still fits.
        return now + (overflow ? UInt64.max / 2 : min(nanoseconds, UInt64.max / 2))
    }

    package static func microseconds(since moment: UInt64) -> Int {
        let now = now
        return now > moment ? Int(clamping: (now - moment) / 1_000) : 0
    }
}
