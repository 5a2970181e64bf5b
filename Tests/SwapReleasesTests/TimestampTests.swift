// SPDX-License-Identifier: Apache-2.0

import Foundation
import SwapReleases
import Testing

@Suite struct TimestampTests {
    @Test func text_ofKnownMoments_isTheKnownOne() {
        #expect(Timestamp.text(seconds: 0) == "1970-01-01T00:00:00Z")
        #expect(Timestamp.text(seconds: 951_782_399) == "2000-02-28T23:59:59Z")
        #expect(Timestamp.text(seconds: 951_782_400) == "2000-02-29T00:00:00Z")
        #expect(Timestamp.text(seconds: 4_107_542_400) == "2100-03-01T00:00:00Z")
        #expect(Timestamp.text(seconds: -1) == "1969-12-31T23:59:59Z")
    }

    @Test func text_ofAnyMoment_isWhatFoundationSays() {
        let formatter = ISO8601DateFormatter()
        for _ in 0..<1_000 {
            let seconds = Int.random(in: -2_000_000_000...8_000_000_000)
            #expect(
                Timestamp.text(seconds: seconds)
                    == formatter.string(from: Date(timeIntervalSince1970: Double(seconds))))
        }
    }

    /// `release list` shows any time that futimens(2) can set.
    @Test(arguments: [
        (Int.max, "9999-12-31T23:59:59Z"), (Int.min, "0001-01-01T00:00:00Z"),
        (13_569_465_600, "2400-01-01T00:00:00Z"),
    ])
    func text_whateverMoment_survives(seconds: Int, expected: String) {
        #expect(Timestamp.text(seconds: seconds) == expected)
    }
}
