// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

extension World {
    /// The world after something happened in it.
    func after(_ occurrence: Occurrence) throws(Violation) -> World {
        var world = self
        try world.happen(occurrence)
        try world.checkAlways()
        return world
    }

    private mutating func happen(_ occurrence: Occurrence) throws(Violation) {
        switch occurrence {
        case .stateIsWritten, .stateCannotBeWritten, .spawned, .spawnFails, .predecessorReads,
            .predecessorReadsEnd, .endNoticed, .deadlineExpires, .timerExpires, .drainEnds,
            .upgradeIsAskedAgain, .operatorAborts, .predecessorIsToldToLeave:
            try happenToPredecessor(occurrence)
        case .orderCarriedOut, .pauseFails:
            try orderEnds(fails: occurrence == .pauseFails)
        case .successorBegins, .successorReads, .successorReadsEnd, .applicationIsReady,
            .applicationRefuses, .acceptorsStart, .acceptorsFail, .successorDeadlineExpires,
            .successorDrainEnds, .successorIsToldToLeave:
            try happenToSuccessor(occurrence)
        case .successorExits:
            try checkLeavesAsMain()
            successorEnds(exits ?? .died)
        case .successorDies:
            isExplained = true
            successorEnds(.died)
        case .kernelLetsGo:
            successorEnds(.died)
        case .predecessorDies:
            isExplained = true
            predecessorEnds()
        case .successorGoesRogue:
            isRogue = true
            channelOpen = false
        case .managerIntroduces, .managerHearsGiveBack, .managerNoticesEnd, .managerStops,
            .managerIsSlow, .signalArrives:
            try happenToManager(occurrence)
        case .strangerTakesLock:
            strangerServes = true
        case .strayToPredecessor(let message):
            mayInject = false
            toPredecessor.append(message)
        case .strayToSuccessor(let message):
            mayInject = false
            if case .offer = message { hadStrayOffer = true }
            toSuccessor.append(message)
        }
    }

    private mutating func happenToPredecessor(_ occurrence: Occurrence) throws(Violation) {
        switch occurrence {
        case .stateIsWritten:
            collectionPending = false
            try lifeHandles(.stateCollected)
        case .stateCannotBeWritten:
            collectionPending = false
            try lifeHandles(.stateFailed(reason: "full"))
        case .spawned:
            spawnPending = false
            process = .alive
            try predecessorHandles(.spawned)
        case .spawnFails:
            spawnPending = false
            try predecessorHandles(.spawnFailed(Failure(code: .start, reason: "no file")))
        case .predecessorReads:
            try predecessorReads()
        case .predecessorReadsEnd:
            sawEndOfFile = true
            try predecessorHandles(.endOfFile)
        case .endNoticed:
            let left = endNotice == .left
            let needsAnother = !left && predecessor.state == .succeeded
            endNotice = nil
            try predecessorHandles(left ? .successorLeft : .successorExited)
            if needsAnother, life.runningRequest == nil, !gaveUp, setting.manager != .parent {
                throw Violation("nobody serves, and it has what it takes")
            }
        case .deadlineExpires:
            deadline = nil
            try predecessorHandles(.deadlineExpired)
        case .timerExpires(let timer):
            timers.remove(timer)
            try lifeHandles(.timerExpired(timer))
        case .drainEnds:
            guard unanswered.isEmpty else { throw Violation("leaves, and owes \(unanswered)") }
            try lifeHandles(.drainEnded)
            predecessorSends(.drained)
            predecessorEnds()
        case .upgradeIsAskedAgain:
            mayAskAgain = false
            try ask(id: 3)
        case .operatorAborts:
            mayAbort = false
            unanswered.insert(2)
            try lifeHandles(.abortRequested(.numbered(2)))
        default:
            mayDrain = false
            try tellPredecessor()
        }
    }

    mutating func tellPredecessor() throws(Violation) {
        wasToldToLeave = true
        isExplained = true
        try lifeHandles(.drainRequested(deadline: nil))
    }

    mutating func predecessorReads() throws(Violation) {
        let message = toPredecessor.removeFirst()
        switch message {
        case .ready: sawReady = true
        case .taken, .takenState: acknowledgements += 1
        default: break
        }
        try predecessorHandles(.received(message))
    }

    /// The first order is carried out; the next begins.
    private mutating func orderEnds(fails: Bool) throws(Violation) {
        let order = orders.removeFirst()
        switch order {
        case .pause: accepting = fails ? .some : .none
        case .resume: accepting = .all
        case .stop: accepting = .none
        }
        if !orders.isEmpty { accepting = .some }
        switch order {
        case .pause: try lifeHandles(.pauseEnded(failure: fails ? "stuck" : nil))
        case .resume: try lifeHandles(.resumed)
        case .stop: break
        }
    }

    private mutating func happenToSuccessor(_ occurrence: Occurrence) throws(Violation) {
        switch occurrence {
        case .successorBegins:
            try successorHandles(.begin)
        case .successorReads:
            try successorHandles(.received(toSuccessor.removeFirst()))
        case .successorReadsEnd:
            successorSawEndOfFile = true
            try successorHandles(.endOfFile)
        case .applicationIsReady:
            applicationDecided = true
            applicationIsReady = true
            try successorLifeHandles(.applicationReady)
        case .applicationRefuses:
            applicationDecided = true
            let failure = Failure(code: .application, reason: "no")
            try successorHandles(.applicationFailed(failure))
        case .acceptorsStart:
            startPending = false
            if successorStops { successorAccepting = false }
            try successorLifeHandles(.acceptorsStarted)
        case .acceptorsFail:
            startPending = false
            if successorStops { successorAccepting = false }
            try successorLifeHandles(.acceptorsFailed)
            let failure = Failure(code: .application, reason: "cannot accept")
            try successorHandles(.applicationFailed(failure))
        case .successorDrainEnds:
            successorDrainPending = false
            try successorLifeHandles(.drainEnded)
            exits = exits ?? .left
        case .successorIsToldToLeave:
            isExplained = true
            try successorLifeHandles(.drainRequested(deadline: nil))
        default:
            successorDeadline = nil
            try successorHandles(.deadlineExpired)
        }
    }
}

// MARK: - The end of a process

extension World {
    mutating func successorEnds(_ end: End) {
        stopSuccessor()
        process = .dead
        successorHoldsLock = false
        channelOpen = false
        manager.signals.remove(.successor)
        endNotice = predecessorAlive ? end : nil
    }

    /// Killed, but there is still something that the kernel has to finish for it.
    mutating func successorHangs() {
        stopSuccessor()
        process = .hung
    }

    private mutating func stopSuccessor() {
        successorLife = nil
        successorAccepting = false
        successorStops = false
        successorDeadline = nil
        startPending = false
        giveBackPending = false
        successorDrainPending = false
        exits = nil
        toSuccessor = []
    }

    mutating func predecessorEnds() {
        // Nothing of it is left but its last packets: worlds that differ in the rest have one
        // future.
        let nothing = World(setting)
        predecessorAlive = false
        life = nothing.life
        predecessor = nothing.predecessor
        accepting = .none
        orders = []
        visible = nothing.visible
        holdsLock = false
        deadline = nil
        timers = []
        collectionPending = false
        introductionPending = false
        spawnPending = false
        drainPending = false
        drainHeld = false
        endNotice = nil
        sawReady = false
        acknowledgements = 0
        wasCancelled = false
        unanswered = []
        done = Done()
        toPredecessor = []
        manager.signals.remove(.predecessor)
    }

    mutating func predecessorSends(_ message: ChannelMessage) {
        if channelOpen, process == .alive { toSuccessor.append(message) }
    }

    mutating func successorSends(_ message: ChannelMessage) {
        if channelOpen, predecessorAlive { toPredecessor.append(message) }
    }
}
