// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

extension World {
    /// What holds at every moment.
    func checkAlways() throws(Violation) {
        if accepting != .none, successorAccepting { throw Violation("both accept") }
        if predecessorAlive { try checkPredecessorWaits() }
        if process == .alive, !isRogue { try checkSuccessorWaits() }
    }

    /// Every wait ends: by a deadline, or by something on this machine that has its own.
    private func checkPredecessorWaits() throws(Violation) {
        switch predecessor.state {
        case .idle, .succeeded, .relieved, .failed:
            if deadline != nil { throw Violation("a deadline is left behind") }
        case .starting:
            if !spawnPending { throw Violation("nothing is being started") }
            if deadline != .ready { throw Violation("the predecessor may wait for ever") }
        case .awaitingHello, .offering, .offeringState, .awaitingReady:
            if deadline != .ready { throw Violation("the predecessor may wait for ever") }
        case .pausing:
            if !pausePending { throw Violation("no pause is under way") }
            if deadline != .accepting { throw Violation("the predecessor may wait for ever") }
        case .committed:
            if deadline != .accepting { throw Violation("the predecessor may wait for ever") }
        case .ending(let ending):
            switch ending.stage {
            case .leaving, .terminated:
                if deadline != .death { throw Violation("nobody ends the successor") }
            case .killed:
                if process == .alive { throw Violation("killed and alive") }
                if deadline != .burial { throw Violation("the predecessor may wait for ever") }
            case .dead:
                if !pausePending { throw Violation("waits for no pause") }
            }
        }
    }

    private func checkSuccessorWaits() throws(Violation) {
        switch successor.state {
        case .greeting, .taking, .takingState:
            if successorDeadline != .answer { throw Violation("the successor may wait for ever") }
        case .readying:
            if successorDeadline != .commit { throw Violation("the successor may wait for ever") }
        case .starting:
            if !startPending { throw Violation("nothing is being started in the successor") }
            if successorDeadline != nil { throw Violation("a deadline is left behind") }
        case .idle, .inherited, .orphaned, .serving, .failed:
            if successorDeadline != nil { throw Violation("a deadline is left behind") }
        }
    }

    /// What holds when nothing more will happen by itself.
    func checkQuiescent() throws(Violation) {
        if predecessorAlive {
            switch predecessor.state {
            case .failed:
                if isRescue || accepting != .all {
                    throw Violation("a failed upgrade left nobody accepting")
                }
            case .idle, .starting, .awaitingHello, .offering, .offeringState, .awaitingReady,
                .pausing, .committed, .ending, .succeeded, .relieved:
                throw Violation("the predecessor is stuck in \(predecessor.state)")
            }
        }
        if process == .alive, !isRogue {
            guard case .serving = successor.state, successorAccepting else {
                throw Violation("the successor is stuck in \(successor.state)")
            }
        }
    }

    /// The name of a quiescent world, to see that an exploration meets each of them.
    var outcome: Outcome {
        switch (predecessorAlive, process) {
        case (true, .notStarted): .notStarted
        case (true, .dead): accepting == .all ? .predecessorServesOn : .nobodyServes
        case (true, .alive), (true, .hung): .both
        case (false, .alive):
            isRogue ? .rogueIsLeft : isRescue ? .rescuerServes : .successorServes
        case (false, .notStarted), (false, .dead), (false, .hung): .allDead
        }
    }

    enum Outcome: Hashable {
        case notStarted, predecessorServesOn, successorServes, allDead, rogueIsLeft
        case rescuerServes, nobodyServes, both
    }
}
