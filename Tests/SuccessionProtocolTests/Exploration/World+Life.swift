// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

/// What the lifecycles of both generations want.
extension World {
    mutating func lifeHandles(_ event: GenerationLifecycle.Event) throws(Violation) {
        for action in life.handle(event) { try perform(action) }
    }

    private mutating func perform(_ action: GenerationLifecycle.Action) throws(Violation) {
        switch action {
        case .pauseAcceptors, .resumeAcceptors, .stopAcceptors, .letGoOfListeners:
            try orderAcceptors(action)
        case .takeLock, .releaseLock, .removeServing:
            try moveLock(action)
        case .refuseUpgrade(let request, _), .endUpgrade(let request, _), .answerAbort(let request),
            .refuseAbort(let request, _):
            try checkAnswer(action)
            guard unanswered.remove(request.id) != nil else {
                throw Violation("answered twice: \(action)")
            }
        case .enter(let state):
            if case .draining = visible { throw Violation("comes back from a drain") }
            visible = state
        case .inspectSurroundings(let request):
            try lifeHandles(
                .inspected(request, GenerationLifecycle.Surroundings(), ready: nil))
        case .collectState:
            guard !collectionPending else { throw Violation("collects the state twice") }
            collectionPending = true
        case .beginAttempt(_, let isRescue):
            guard process == .notStarted || process == .dead || process == .hung else {
                throw Violation("starts a second successor")
            }
            beginAttempt(isRescue: isRescue)
            try predecessorHandles(.begin)
        case .cancelAttempt: try cancelAttempt()
        case .answerPause(nil): try predecessorHandles(.paused)
        case .answerPause(let failure?): try predecessorHandles(.pauseFailed("\(failure)"))
        case .introduceSuccessor: introductionPending = true
        case .takeBackMainProcess(let isServing):
            if isServing != !life.isDraining { throw Violation("tells the manager what is not so") }
            manager.hears(.predecessor, nowMain: .predecessor, setting.access)
        case .beginDrain:
            guard !drainPending else { throw Violation("drains twice") }
            drainPending = true
            if saidAccepting { predecessorSends(.draining) }
        case .holdDrain: drainHeld = true
        case .releaseDrain: drainHeld = false
        case .setTimer(let timer, _): timers.insert(timer)
        case .clearTimer(let timer): timers.remove(timer)
        case .notify(.rescueEnds(let end)): gaveUp = end != .succeeded
        case .notify(.lockIsNotTaken): gaveUp = true
        case .notify, .cancelCollection, .startPings, .stopPings, .extendTimeout, .endExtensions,
            .relinquishStore, .announceStopping, .shortenDrain, .endReloads:
            // Nothing here depends on them.
            break
        case .startAcceptors, .refuseTurn, .announceServing, .giveBackMainProcess, .sayReady,
            .refuseToSucceed, .sayLeaving, .endHandover, .removeRemains:
            throw Violation("the first of its line behaves as a successor: \(action)")
        case .reload, .refuseReload, .announceReloadEnd:
            throw Violation("answers what nobody has asked: \(action)")
        }
    }

    private mutating func orderAcceptors(
        _ action: GenerationLifecycle.Action
    ) throws(Violation) {
        switch action {
        case .pauseAcceptors:
            guard !isRescue else { throw Violation("pauses what it has given up") }
            guard sawReady else { throw Violation("paused for a successor that is not ready") }
            guard acknowledgements >= setting.acknowledgements else {
                throw Violation("paused for a successor that has not taken everything")
            }
            orders.append(.pause)
            accepting = .some
        case .resumeAcceptors:
            guard process == .dead || process == .hung else {
                throw Violation("resumed while the successor lives")
            }
            guard !isRescue else { throw Violation("accepts again while it drains") }
            orders.append(.resume)
            accepting = .some
        case .stopAcceptors:
            if !orders.isEmpty || accepting != .none { accepting = .some }
            orders.append(.stop)
        default:
            guard drainPending else { throw Violation("lets go of what it accepts from") }
        }
    }

    private mutating func moveLock(_ action: GenerationLifecycle.Action) throws(Violation) {
        switch action {
        case .takeLock:
            guard !holdsLock else { throw Violation("takes the lock that it holds") }
            holdsLock = !strangerServes && !successorHoldsLock
            try lifeHandles(.lockTaken(holdsLock ? .taken : .held))
        case .releaseLock:
            guard holdsLock else { throw Violation("releases a lock that it does not hold") }
            holdsLock = false
        default:
            guard holdsLock else { throw Violation("removes `serving` without the lock") }
        }
    }

    private func checkAnswer(_ action: GenerationLifecycle.Action) throws(Violation) {
        switch action {
        case .endUpgrade(_, .succeeded):
            guard saidAccepting else { throw Violation("succeeded, and nobody accepts") }
        case .endUpgrade, .answerAbort:
            guard process != .alive else { throw Violation("undone, and the successor lives") }
            guard isRescue || drainPending || accepting != .none else {
                throw Violation("undone, and nobody accepts")
            }
        case .refuseAbort(_, .tooLate):
            guard drainPending, saidAccepting else { throw Violation("too late for what?") }
        case .refuseUpgrade(_, .busy):
            guard life.runningRequest != nil else { throw Violation("busy with nothing") }
        default: break
        }
    }

    /// What has arrived counts.
    private mutating func cancelAttempt() throws(Violation) {
        while !toPredecessor.isEmpty, !sawEndOfFile, process != .notStarted {
            try predecessorReads()
        }
        wasCancelled = predecessor.state != .succeeded && predecessor.state != .relieved
        try predecessorHandles(.cancelled("enough"))
    }
}

// MARK: - The successor

extension World {
    mutating func successorLifeHandles(
        _ event: GenerationLifecycle.Event
    ) throws(Violation) {
        for action in successorLife?.handle(event) ?? [] { try performOfSuccessor(action) }
    }

    private mutating func performOfSuccessor(
        _ action: GenerationLifecycle.Action
    ) throws(Violation) {
        switch action {
        case .startAcceptors:
            guard applicationIsReady else { throw Violation("accepts before it is ready") }
            successorAccepting = true
            startPending = true
        case .announceServing: try successorHandles(.started)
        case .refuseTurn:
            try successorHandles(
                .applicationFailed(Failure(code: .application, reason: "told to leave")))
        case .sayReady: try successorHandles(.applicationReady)
        case .refuseToSucceed:
            try successorHandles(
                .applicationFailed(Failure(code: .operator, reason: "told to leave")))
        case .sayLeaving: try successorHandles(.leaves)
        case .endHandover: endHandover()
        case .giveBackMainProcess: giveBackPending = true
        case .beginDrain: successorDrainPending = true
        case .stopAcceptors(let removing, _):
            if removing == .all, predecessorAlive, !saidAccepting, !successorSawEndOfFile {
                throw Violation("takes the paths of its predecessor along")
            }
            if startPending { successorStops = true } else { successorAccepting = false }
        case .enter, .startPings, .stopPings, .extendTimeout, .endExtensions, .announceStopping,
            .endReloads, .shortenDrain, .removeRemains:
            // Nothing here depends on them.
            break
        case .pauseAcceptors, .resumeAcceptors, .letGoOfListeners, .inspectSurroundings,
            .refuseUpgrade, .collectState, .cancelCollection, .beginAttempt, .cancelAttempt,
            .answerPause, .endUpgrade, .takeLock, .releaseLock, .removeServing, .relinquishStore,
            .introduceSuccessor, .takeBackMainProcess, .holdDrain, .releaseDrain, .answerAbort,
            .refuseAbort, .reload, .refuseReload, .announceReloadEnd, .setTimer, .clearTimer,
            .notify:
            throw Violation("a successor behaves as a predecessor: \(action)")
        }
    }
}
