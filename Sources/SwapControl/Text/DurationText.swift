// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

/// Reads and writes durations as operators do.
package enum DurationText {
    package static let help = "write 500ms, 30s, 2m, 1h, or a number of seconds"

    /// Reads `500ms`, `30s`, `2m`, `1h`, or a plain number of seconds; `1.5s` is allowed.
    ///
    /// Nil for anything else, and for more than a hundred years, which is a mistake.
    package static func parse(_ text: String) -> Duration? {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let milliseconds: Int
        switch text.dropFirst(number.count) {
        case "ms": milliseconds = 1
        case "", "s": milliseconds = 1_000
        case "m": milliseconds = 60_000
        case "h": milliseconds = 3_600_000
        default: return nil
        }
        guard number.first?.isNumber == true, number.last?.isNumber == true,
            let value = Double(number), value * Double(milliseconds) < 3.2e12
        else { return nil }
        return .milliseconds(Int((value * Double(milliseconds)).rounded()))
    }

    /// `00:02:11`, `3d 04:00:12`: a duration in a column.
    static func clock(microseconds: Int) -> String {
        let seconds = max(0, microseconds) / 1_000_000
        let time = [seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60]
            .map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
        return seconds < 86_400 ? time : "\(seconds / 86_400)d \(time)"
    }

    /// `0.84 s`: the duration of a step.
    package static func seconds(microseconds: Int) -> String {
        let elapsed = max(0, microseconds)
        let hundredths = elapsed / 10_000 + (elapsed % 10_000 >= 5_000 ? 1 : 0)
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) s"
    }

    /// `11 s`, `2 min`, `1 h 30 min`: a time until a deadline, rounded up.
    package static func deadline(milliseconds: Int) -> String {
        let seconds = max(0, milliseconds) / 1_000 + (max(0, milliseconds) % 1_000 > 0 ? 1 : 0)
        if seconds < 120 { return "\(seconds) s" }
        let minutes = (seconds + 59) / 60
        if minutes < 60 { return "\(minutes) min" }
        return minutes % 60 == 0 ? "\(minutes / 60) h" : "\(minutes / 60) h \(minutes % 60) min"
    }
}

extension Duration {
    /// Truncated to whole milliseconds; clamped to the range of `Int`.
    package var wholeMilliseconds: Int { wholeUnits(perSecond: 1_000) }
    /// Truncated to whole microseconds; clamped to the range of `Int`.
    package var wholeMicroseconds: Int { wholeUnits(perSecond: 1_000_000) }
}

extension Int {
    /// The sum, or the nearest number that fits.
    package func addingClamped(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}
