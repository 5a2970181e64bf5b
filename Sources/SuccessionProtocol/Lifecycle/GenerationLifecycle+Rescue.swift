// SPDX-License-Identifier: Apache-2.0

/// A successor that dies while this generation still drains (docs/supervision.md).
///
/// Right after an upgrade is when a new release dies. This generation has told its application that
/// it accepts no more, and that stands; but it still has the listeners, and its own program, which
/// is known to serve: it starts that as its successor.
extension GenerationLifecycle {
    mutating func successorDied(_ request: Request) -> [Action] {
        // Nobody needs the listeners any more, or the process is about to end.
        guard case .draining(var drain) = phase, drain.keepsListeners else { return [] }
        if manager == .parent {
            drain.isBereft = true
            phase = .draining(drain)
            let limit: [Action] =
                drain.isToldToLeave ? [.shortenDrain(to: deadlines.bereft)] : []
            return [.notify(.bereft)] + limit
        }
        drain.occupation = .rescue(Rescue(request: request, stage: .takingLock))
        phase = .draining(drain)
        return [.takeLock]
    }

    /// A process that holds the lock serves, or will: it is a successor of the dead one, or was started
    /// anew.
    mutating func lockTaken(_ answer: LockAnswer) -> [Action] {
        guard case .draining(var drain) = phase, case .rescue(let rescue) = drain.occupation,
            rescue.stage == .takingLock
        else { return [] }
        guard answer == .taken else {
            drain.occupation = .none
            drain.keepsListeners = false
            phase = .draining(drain)
            return [.notify(.lockIsNotTaken(answer)), .letGoOfListeners]
        }
        holdsLock = true
        if drain.isToldToLeave { return giveUp(rescue, drain, .unwanted) }
        guard drain.rescues < deadlines.maximumRescues else {
            return giveUp(rescue, drain, .usedUp)
        }
        return [.notify(.rescueBegins), .holdDrain] + begin(rescue, drain)
    }

    private mutating func begin(_ rescue: Rescue, _ drain: Drain) -> [Action] {
        var (rescue, drain) = (rescue, drain)
        drain.rescues += 1
        rescue.stage = .collecting
        drain.occupation = .rescue(rescue)
        phase = .draining(drain)
        return [.collectState(within: deadlines.ready)]
    }

    /// The state is there, or will not be.
    mutating func stateDecided(_ drain: Drain) -> [Action] {
        guard case .rescue(var rescue) = drain.occupation, rescue.stage == .collecting else {
            return []
        }
        if let callOff = rescue.callOff { return giveUp(rescue, drain, .calledOff(callOff)) }
        var drain = drain
        rescue.stage = .attempting
        drain.occupation = .rescue(rescue)
        phase = .draining(drain)
        return [.beginAttempt(rescue.request, isRescue: true)]
    }

    mutating func attemptEnded(
        _ failure: Failure?, of rescue: Rescue, _ drain: Drain
    ) -> [Action] {
        guard rescue.stage == .attempting else { return [] }
        guard let failure else {
            var drain = drain
            drain.occupation = .none
            drain.hasSuccessor = true
            phase = .draining(drain)
            holdsLock = false
            return [.releaseLock, .notify(.rescueEnds(.succeeded))]
                + rescue.aborts.map { .refuseAbort($0, .tooLate) } + [.releaseDrain]
        }
        if let callOff = rescue.callOff { return giveUp(rescue, drain, .calledOff(callOff)) }
        guard drain.rescues < deadlines.maximumRescues else {
            return giveUp(rescue, drain, .failed(failure))
        }
        var (rescue, drain) = (rescue, drain)
        rescue.stage = .waiting
        drain.occupation = .rescue(rescue)
        phase = .draining(drain)
        return [.notify(.rescueFails(failure)), .setTimer(.rescue, deadlines.rescuePause)]
    }

    mutating func rescuePauseEnded() -> [Action] {
        guard case .draining(let drain) = phase, case .rescue(let rescue) = drain.occupation,
            rescue.stage == .waiting
        else { return [] }
        return begin(rescue, drain)
    }

    mutating func callOff(
        _ rescue: Rescue, _ drain: Drain, _ reason: CallOff
    ) -> [Action] {
        var (rescue, drain) = (rescue, drain)
        let callOff = rescue.callOff ?? reason
        rescue.callOff = callOff
        drain.occupation = .rescue(rescue)
        phase = .draining(drain)
        switch rescue.stage {
        case .collecting: return [.cancelCollection(callOff)]
        case .attempting: return [.cancelAttempt(callOff)]
        case .waiting:
            return [.clearTimer(.rescue)] + giveUp(rescue, drain, .calledOff(callOff))
        case .takingLock:
            // `lockTaken` comes before anything else.
            return []
        }
    }

    /// Nobody serves from here on.
    ///
    /// While the lock is held nobody else writes `serving`: that goes first.
    private mutating func giveUp(
        _ rescue: Rescue, _ drain: Drain, _ end: RescueEnd
    ) -> [Action] {
        var drain = drain
        let letsGo: [Action] = drain.keepsListeners ? [.letGoOfListeners] : []
        drain.occupation = .none
        drain.hasSuccessor = false
        drain.keepsListeners = false
        phase = .draining(drain)
        holdsLock = false
        return [.notify(.rescueEnds(end)), .removeServing, .releaseLock] + letsGo
            + rescue.aborts.map { .answerAbort($0) } + [.releaseDrain]
    }

    /// Nobody is to take the place of the successor.
    mutating func successorLeft() -> [Action] {
        guard case .draining(var drain) = phase, drain.keepsListeners else { return [] }
        drain.keepsListeners = false
        phase = .draining(drain)
        return [.letGoOfListeners]
    }
}
