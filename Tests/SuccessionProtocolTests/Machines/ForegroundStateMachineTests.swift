// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import Testing

@Suite struct ForegroundStateMachineTests {
    private typealias Line = ForegroundStateMachine.Line
    private var machine = ForegroundStateMachine(first: 10)

    @Test mutating func signals_beforeAnybodyAnswers_goToTheFirst() {
        for number: Int32 in [1, 2, 3, 10, 12, 15] {
            let actions = machine.handle(.signal(number, groupKnows: false))
            #expect(actions == [.forward(number, to: [10])])
        }
    }

    @Test mutating func signal_ofTheTerminal_isNotToldTwice() {
        #expect(machine.handle(.signal(2, groupKnows: true)) == [])
    }

    @Test mutating func signals_whileTwoLive_goToAllOrToTheOneThatServes() {
        _ = machine.handle(.found(Line(living: [1: 10, 2: 20], serving: 2)))
        #expect(machine.handle(.signal(15, groupKnows: false)) == [.forward(15, to: [10, 20])])
        #expect(machine.handle(.signal(12, groupKnows: false)) == [.forward(12, to: [20])])
        #expect(machine.handle(.signal(1, groupKnows: false)) == [.forward(1, to: [20])])
    }

    @Test mutating func end_ofAllGenerations_leavesWithTheStatusOfTheHighest() {
        _ = machine.handle(.found(Line(living: [1: 10, 2: 20], serving: 2)))
        // The second died, and was waited for only after the first.
        #expect(machine.handle(.ended(20, status: 139)) == [])
        #expect(machine.handle(.ended(10, status: 0)) == [])
        #expect(machine.handle(.found(Line(living: [:], serving: nil))) == [])
        #expect(machine.handle(.allHeard) == [.askForLock])
        #expect(machine.handle(.locked(false)) == [.leave(status: 139)])
        #expect(machine.handle(.childless) == [])
    }

    @Test mutating func end_whileASuccessorHoldsTheLock_waitsForIt() {
        _ = machine.handle(.found(Line(living: [1: 10], serving: 1)))
        #expect(machine.handle(.ended(10, status: 137)) == [])
        #expect(machine.handle(.found(Line(living: [:], serving: nil))) == [])
        #expect(machine.handle(.allHeard) == [.askForLock])
        #expect(machine.handle(.locked(true)) == [])
        #expect(machine.handle(.found(Line(living: [2: 20], serving: 2))) == [])
        #expect(machine.handle(.ended(20, status: 3)) == [])
        #expect(machine.handle(.childless) == [.leave(status: 3)])
    }

    /// It does not answer any more, and how it ended is told in the next moment.
    @Test mutating func end_thatIsNotToldYet_decidesNothing() {
        _ = machine.handle(.found(Line(living: [1: 10, 2: 20], serving: 2)))
        _ = machine.handle(.ended(10, status: 0))
        #expect(machine.handle(.found(Line(living: [:], serving: nil))) == [])
        #expect(machine.handle(.allHeard) == [])
        #expect(machine.handle(.ended(20, status: 137)) == [])
        #expect(machine.handle(.allHeard) == [.askForLock])
        #expect(machine.handle(.locked(false)) == [.leave(status: 137)])
    }

    /// A successor that failed is its predecessor's, who waits for it.
    @Test mutating func end_ofASuccessorThatFailed_isNotWaitedFor() {
        _ = machine.handle(.found(Line(living: [1: 10, 2: 20], serving: 1)))
        #expect(machine.handle(.vanished(20)) == [])
        _ = machine.handle(.found(Line(living: [:], serving: nil)))
        _ = machine.handle(.ended(10, status: 0))
        #expect(machine.handle(.allHeard) == [.askForLock])
        #expect(machine.handle(.locked(false)) == [.leave(status: 0)])
    }

    /// A lock that is asked for while the first generation begins would keep that out.
    @Test mutating func lock_whileTheFirstLives_isNotAskedFor() {
        #expect(machine.handle(.found(Line(living: [:], serving: nil))) == [])
        #expect(machine.handle(.allHeard) == [])
    }

    @Test mutating func end_ofAnOrphan_isNobodysStatus() {
        #expect(machine.handle(.ended(99, status: 7)) == [])
        #expect(machine.handle(.ended(10, status: 0)) == [])
        #expect(machine.handle(.childless) == [.leave(status: 0)])
    }

    /// A number may be another process's by then.
    @Test mutating func signal_afterTheEndOfAGeneration_isNotSentToItsNumber() {
        _ = machine.handle(.found(Line(living: [1: 10, 2: 20], serving: 2)))
        _ = machine.handle(.ended(10, status: 0))
        #expect(machine.handle(.signal(15, groupKnows: false)) == [.forward(15, to: [20])])
    }

    @Test mutating func end_ofAGenerationWhoseNumberWasGivenAgain_isItsOwn() {
        _ = machine.handle(.found(Line(living: [1: 10, 2: 20], serving: 2)))
        _ = machine.handle(.ended(10, status: 0))
        // Generation 2 failed late, a first one began anew with its number.
        _ = machine.handle(.ended(20, status: 1))
        _ = machine.handle(.found(Line(living: [2: 30], serving: 2)))
        _ = machine.handle(.ended(30, status: 0))
        #expect(machine.handle(.childless) == [.leave(status: 0)])
    }
}
