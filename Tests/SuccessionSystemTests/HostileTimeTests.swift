// SPDX-License-Identifier: Apache-2.0

import Glibc
import SuccessionSystem
import Testing

/// Times that anybody may set on a file, and that a peer may name.
@Suite struct HostileTimeTests {
    /// Of the year 2400, and the ends of what a file system can keep.
    @Test(arguments: [13_569_465_600, 9_223_372_037, -9_223_372_037, Int.max, Int.min, 0])
    func facts_whateverTimeAFileHas_canBeRead(_ seconds: Int) throws {
        let file = try MemoryFile.create(name: "times", allowSealing: false)
        let time = timespec(tv_sec: seconds, tv_nsec: 999_999_999)
        // The second is that of the content.
        try #require(futimens(file.rawValue, [time, time]) == 0)
        let facts = try Syscall.status(of: file.rawValue)
        #expect(facts.modifiedAt == seconds)
        if seconds > 0 { #expect(facts.modifiedAtNanoseconds == .max) }
        if seconds == 0 { #expect(facts.modifiedAtNanoseconds == 999_999_999) }
    }

    @Test(arguments: [0, 1, Int.max / 2, Int.max])
    func wallClock_whateverMonotonicTime_survives(_ time: Int) {
        #expect(Syscall.wallClock(atMonotonic: time) > 0)
    }

    @Test func arithmetic_atTheEnds_stops() {
        #expect(Nanoseconds.of(seconds: .max, nanoseconds: 1) == .max)
        #expect(Nanoseconds.of(seconds: .min) == .min)
        #expect(Nanoseconds.of(seconds: 9_223_372_036, nanoseconds: 999_999_999) == .max)
        #expect(Nanoseconds.of(seconds: -3, nanoseconds: 5) == -2_999_999_995)
        #expect(Nanoseconds.sum(.min, -1) == .min)
        #expect(Nanoseconds.difference(.max, -1) == .max)
        #expect(Nanoseconds.difference(.min, 1) == .min)
    }
}
