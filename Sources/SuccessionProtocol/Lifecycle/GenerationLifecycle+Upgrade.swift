// SPDX-License-Identifier: Apache-2.0

/// An upgrade, from the request until it is over.
extension GenerationLifecycle {
    mutating func upgradeRequested(_ request: Request) -> [Action] {
        if let refusal = refusalUnlessServing() { return [.refuseUpgrade(request, refusal)] }
        return [.inspectSurroundings(request)]
    }

    mutating func inspected(
        _ request: Request, _ surroundings: Surroundings, ready: Duration?
    ) -> [Action] {
        if let refusal = refusalUnlessServing() ?? refusal(in: surroundings) {
            return [.refuseUpgrade(request, refusal)]
        }
        phase = .upgrading(Upgrade(request: request, stage: .collecting))
        let ready = ready ?? deadlines.ready
        let waits: [Action] =
            hasManager ? [.extendTimeout(deadlines.wholeUpgrade(ready: ready))] : []
        return waits + [.collectState(within: ready)]
    }

    private func refusal(in surroundings: Surroundings) -> Refusal? {
        if surroundings.hasWaitingParent { return .parent }
        // This one, and the successor.
        if let maximumGenerations, surroundings.otherGenerations + 2 > maximumGenerations {
            return .generations(maximum: maximumGenerations)
        }
        return nil
    }

    /// Why what only an undisturbed serving generation does is not done now.
    func refusalUnlessServing() -> Refusal? {
        switch phase {
        case .serving: return nil
        case .upgrading(let upgrade): return .busy(upgrade.request)
        case .starting: return .notServing(.starting)
        // Until its acceptors run again.
        case .resuming: return .notServing(.standby)
        case .draining(let drain):
            if case .rescue(let rescue) = drain.occupation { return .busy(rescue.request) }
            return .notServing(.draining(deadline: drain.deadline))
        case .left: return .notServing(.draining(deadline: .zero))
        }
    }

    // MARK: The state

    mutating func stateCollected() -> [Action] {
        switch phase {
        case .upgrading(var upgrade):
            // It is collected once.
            guard upgrade.stage == .collecting else { return [] }
            if let callOff = upgrade.callOff { return end(upgrade, .calledOff(callOff)) }
            upgrade.stage = .preparing
            phase = .upgrading(upgrade)
            return [.beginAttempt(upgrade.request, isRescue: false)]
        case .draining(let drain):
            return stateDecided(drain)
        case .starting, .serving, .resuming, .left:
            // The process ends while the application writes.
            return []
        }
    }

    mutating func stateFailed(_ reason: String) -> [Action] {
        switch phase {
        case .upgrading(let upgrade):
            guard upgrade.stage == .collecting else { return [] }
            if let callOff = upgrade.callOff { return end(upgrade, .calledOff(callOff)) }
            return end(upgrade, .stateFailed(reason: reason))
        case .draining(let drain):
            // Without the state rather than not at all: the first of a line has none either.
            return stateDecided(drain)
        case .starting, .serving, .resuming, .left:
            // The process ends while the application writes.
            return []
        }
    }

    // MARK: The end

    mutating func attemptEnded(_ failure: Failure?) -> [Action] {
        switch phase {
        case .upgrading(let upgrade):
            // One that succeeds has said so before, and this generation drains by now.
            guard failure != nil else { return [] }
            return end(upgrade, .failed)
        case .draining(let drain):
            switch drain.occupation {
            case .concluding(let upgrade): return conclude(upgrade, drain)
            case .rescue(let rescue): return attemptEnded(failure, of: rescue, drain)
            case .none: return []
            }
        case .starting, .serving, .resuming, .left:
            // The process ends while it starts a successor, which serves or ends by itself.
            return []
        }
    }

    /// This generation serves on, unless it has been told to leave meanwhile.
    private mutating func end(_ upgrade: Upgrade, _ end: UpgradeEnd) -> [Action] {
        phase = upgrade.stage == .resuming ? .resuming : .serving
        var actions: [Action] = hasManager ? [.endExtensions] : []
        actions.append(.endUpgrade(upgrade.request, end))
        actions += upgrade.aborts.map { .answerAbort($0) }
        guard let deadline = upgrade.postponedDrain else { return actions }
        return actions + beginDrain(deadline)
    }

    /// The successor serves: it was too late to call it off, or to ask this generation to leave.
    private mutating func conclude(_ upgrade: Upgrade, _ drain: Drain) -> [Action] {
        var drain = drain
        drain.occupation = .none
        phase = .draining(drain)
        var actions: [Action] = [.endUpgrade(upgrade.request, .succeeded)]
        actions += upgrade.aborts.map { .refuseAbort($0, .tooLate) }
        guard let deadline = upgrade.postponedDrain else { return actions }
        return actions + drainRequested(deadline)
    }
}
