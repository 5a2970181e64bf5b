// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

extension World {
    /// What holds at every moment.
    func checkAlways() throws(Violation) {
        if accepting != .none, successorAccepting { throw Violation("both accept") }
        if predecessorAlive {
            try checkPredecessorWaits()
            try checkLifeWaits()
        }
        if process == .alive, !isRogue { try checkSuccessorWaits() }
        try checkLock()
    }

    /// Who accepts holds the lock, and nobody else's process does.
    private func checkLock() throws(Violation) {
        if predecessorAlive, life.holdsLock != holdsLock { throw Violation("forgot the lock") }
        if accepting == .all, !holdsLock { throw Violation("accepts without the lock") }
        if successorAccepting, !successorHoldsLock, !hadStrayOffer {
            throw Violation("the successor accepts without the lock")
        }
        if strangerServes, holdsLock || successorHoldsLock {
            throw Violation("two lines hold the lock")
        }
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
            if !isPauseAnswered { throw Violation("no pause is under way") }
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
                if !isPauseAnswered { throw Violation("waits for no pause") }
            }
        }
    }

    /// Whether something will answer the attempt that waits for the pause.
    private var isPauseAnswered: Bool {
        introductionPending || orders.contains(.pause) && timers.contains(.pause)
    }

    /// The same for the lifecycle.
    private func checkLifeWaits() throws(Violation) {
        let holds: Bool =
            switch life.phase {
            case .starting, .serving, .left: true
            case .resuming: orders.contains(.resume)
            case .upgrading(let upgrade): isAwaited(upgrade.stage)
            case .draining(let drain):
                switch drain.occupation {
                case .none: true
                case .concluding: false
                case .rescue(let rescue): drainHeld && isAwaited(rescue.stage)
                }
            }
        guard holds else { throw Violation("the lifecycle may wait for ever in \(life.phase)") }
    }

    private func isAwaited(_ stage: GenerationLifecycle.Upgrade.Stage) -> Bool {
        switch stage {
        case .collecting: collectionPending
        case .introducing: introductionPending
        case .pausing: orders.contains(.pause) && timers.contains(.pause)
        case .preparing, .paused, .standingBy, .pauseFailed: predecessor.isUnderWay
        case .resuming, .resumed: false
        }
    }

    private func isAwaited(_ stage: GenerationLifecycle.Rescue.Stage) -> Bool {
        switch stage {
        case .takingLock: false
        case .collecting: collectionPending
        case .attempting: predecessor.isUnderWay
        case .waiting: timers.contains(.rescue)
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

    /// A successor that gives up does not take the unit along.
    func checkLeavesAsMain() throws(Violation) {
        guard setting.manager == .parent, manager.main == .successor, !manager.isStopping,
            predecessorAlive, exits == .died
        else { return }
        guard gaveBack else { throw Violation("leaves as the main process") }
    }

    /// What holds when nothing more will happen by itself.
    func checkQuiescent() throws(Violation) {
        if predecessorAlive { try checkPredecessorServes() }
        if process == .alive, !isRogue {
            guard case .serving = successor.state, successorLife?.phase == .serving,
                successorAccepting
            else { throw Violation("the successor is stuck in \(successor.state)") }
        }
        if setting.manager == .parent, !manager.isStopping, !isRogue {
            guard manager.main == (predecessorAlive ? .predecessor : .successor) else {
                throw Violation("the main process is \(manager.main)")
            }
        }
        if !predecessorAlive, process != .alive, !isExplained {
            throw Violation("nobody is left, and nobody wanted that")
        }
    }

    private func checkPredecessorServes() throws(Violation) {
        guard life.phase == .serving, visible == .serving, accepting == .all else {
            throw Violation("the predecessor is stuck in \(life.phase)")
        }
        guard !predecessor.isUnderWay else {
            throw Violation("the predecessor is stuck in \(predecessor.state)")
        }
        if wasToldToLeave { throw Violation("forgot that it was told to leave") }
        if !unanswered.isEmpty { throw Violation("has not answered \(unanswered)") }
        if !timers.isEmpty { throw Violation("a timer is left behind") }
    }

    /// The name of a quiescent world, to see that an exploration meets each of them.
    var outcome: Outcome {
        if strangerServes { return .strangerServes }
        return switch (predecessorAlive, process) {
        case (true, .notStarted): .notStarted
        case (true, .dead): .predecessorServesOn
        case (true, .alive), (true, .hung): .both
        case (false, .alive):
            isRogue ? .rogueIsLeft : isRescue ? .rescuerServes : .successorServes
        case (false, .notStarted), (false, .dead), (false, .hung): .allDead
        }
    }

    enum Outcome: Hashable {
        case notStarted, predecessorServesOn, successorServes, allDead, rogueIsLeft
        case rescuerServes, strangerServes, both
    }
}

extension PredecessorStateMachine {
    var isUnderWay: Bool {
        switch state {
        case .idle, .succeeded, .relieved, .failed: false
        case .starting, .awaitingHello, .offering, .offeringState, .awaitingReady, .pausing,
            .committed, .ending:
            true
        }
    }
}
