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

extension Duration {
    /// Whole nanoseconds, between 0 and half a century: enough for any deadline, and no overflow.
    package var nanosecondsClamped: UInt64 {
        let limit: Int64 = 50 * 365 * 86_400
        let (seconds, attoseconds) = components
        if seconds < 0 || attoseconds < 0 { return 0 }
        return UInt64(min(seconds, limit)) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }

    /// Whole milliseconds, for the wire.
    package var millisecondsClamped: Int { Int(nanosecondsClamped / 1_000_000) }
    /// Whole microseconds, for the wire.
    package var microsecondsClamped: Int { Int(nanosecondsClamped / 1_000) }
}
