// SPDX-License-Identifier: Apache-2.0

/// Moments and lengths of time in nanoseconds that stop at the ends of their type.
///
/// A file system keeps times of 64 bits of seconds, which anybody may set, and the clock of a
/// machine may be wrong by centuries: 63 bits of nanoseconds are 292 years.
package enum Nanoseconds {
    package static func of(seconds: Int, nanoseconds: Int = 0) -> Int {
        let (whole, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflows ? (seconds < 0 ? .min : .max) : sum(whole, nanoseconds)
    }

    package static func sum(_ left: Int, _ right: Int) -> Int {
        let (sum, overflows) = left.addingReportingOverflow(right)
        return overflows ? (right < 0 ? .min : .max) : sum
    }

    package static func difference(_ left: Int, _ right: Int) -> Int {
        let (difference, overflows) = left.subtractingReportingOverflow(right)
        return overflows ? (right < 0 ? .max : .min) : difference
    }
}
