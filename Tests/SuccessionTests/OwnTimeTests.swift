// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Testing

@testable import Succession

@Suite struct OwnTimeTests {
    private static let second: UInt64 = 1_000_000_000

    @Test func waitThatEndsInTime_isLived() {
        var time = OwnTime(now: 0)
        for tick in 1...100 as ClosedRange<UInt64> {
            time.isAwake(at: tick * OwnTime.tick, afterWaiting: OwnTime.tick)
        }
        #expect(time.stoodStill == 0)
    }

    @Test func waitThatEndsLate_countsForWhatItWasMeantToLast() {
        var time = OwnTime(now: 0)
        time.isAwake(at: 5 * Self.second, afterWaiting: OwnTime.tick)
        #expect(time.stoodStill == 5 * Self.second - OwnTime.tick)
    }

    @Test func workBetweenTwoWaits_thatTakesLong_isNoTimeToListen() {
        var time = OwnTime(now: Self.second)
        time.isAwake(at: 3 * Self.second)
        #expect(time.stoodStill == 2 * Self.second)
    }

    @Test func delaysOfABusyMachine_areTheOtherSidesToo() {
        var time = OwnTime(now: 0)
        time.isAwake(at: OwnTime.tick + OwnTime.tolerance, afterWaiting: OwnTime.tick)
        time.isAwake(at: OwnTime.tick + 2 * OwnTime.tolerance)
        #expect(time.stoodStill == 0)
    }

    @Test func waitWithoutEnd_tellsNothing() {
        var time = OwnTime(now: 0)
        time.isAwake(at: 3_600 * Self.second, afterWaiting: .max)
        #expect(time.stoodStill == 0)
    }

    @Test func clockThatGoesBack_isPassedOver() {
        var time = OwnTime(now: Self.second)
        time.isAwake(at: 0)
        #expect(time.stoodStill == 0)
    }
}
