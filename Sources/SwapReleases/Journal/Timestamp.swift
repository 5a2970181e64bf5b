// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// Times in the form of ISO 8601, in UTC.
package enum Timestamp {
    static func now() -> String {
        let (seconds, nanoseconds) = Syscall.wallClock()
        let milliseconds = padded(nanoseconds / 1_000_000, 3)
        return String(text(seconds: seconds).dropLast()) + ".\(milliseconds)Z"
    }

    /// `2026-11-21T13:29:21Z`, from seconds since 1970.
    ///
    /// A time outside of the years 1 to 9999, which a file may have, becomes the nearest one
    /// inside.
    package static func text(seconds moment: Int) -> String {
        let seconds = min(max(moment, -62_135_596_800), 253_402_300_799)
        let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400
        let time = seconds - days * 86_400
        // Years that begin in March, so that the leap day is the last day of a year.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let year = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
        let march = (5 * dayOfYear + 2) / 153
        let month = march < 10 ? march + 3 : march - 9
        let date = [
            padded(year + era * 400 + (month <= 2 ? 1 : 0), 4), padded(month, 2),
            padded(dayOfYear - (153 * march + 2) / 5 + 1, 2),
        ]
        let clock = [time / 3_600, time / 60 % 60, time % 60].map { padded($0, 2) }
        return "\(date.joined(separator: "-"))T\(clock.joined(separator: ":"))Z"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
