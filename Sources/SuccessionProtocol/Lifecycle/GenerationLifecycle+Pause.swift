// SPDX-License-Identifier: Apache-2.0

/// From the moment at which the successor is ready: who is the main process, and who accepts.
extension GenerationLifecycle {
    mutating func successorReady() -> [Action] {
        // A generation that drains has nothing to pause.
        guard case .upgrading(var upgrade) = phase, upgrade.stage == .preparing else { return [] }
        switch manager {
        case .none:
            return pause(upgrade)
        case .distant:
            return [.relinquishStore, .notify(.successorIsUnsupervised)] + pause(upgrade)
        case .parent:
            upgrade.stage = .introducing(isPauseWanted: true)
            phase = .upgrading(upgrade)
            return [
                .relinquishStore, .stopPings, .endExtensions,
                .introduceSuccessor(within: deadlines.introduction),
            ]
        }
    }

    private mutating func pause(_ upgrade: Upgrade) -> [Action] {
        var upgrade = upgrade
        upgrade.stage = .pausing
        phase = .upgrading(upgrade)
        return [.setTimer(.pause, deadlines.pause), .pauseAcceptors]
    }

    mutating func pauseAbandoned() -> [Action] {
        guard case .upgrading(var upgrade) = phase else { return [] }
        if case .introducing = upgrade.stage {
            upgrade.stage = .introducing(isPauseWanted: false)
            phase = .upgrading(upgrade)
        }
        // A pause under way cannot be called back: the attempt waits for its end.
        return []
    }

    mutating func introduced() -> [Action] {
        guard case .upgrading(var upgrade) = phase,
            case .introducing(let isPauseWanted) = upgrade.stage
        else { return [] }
        if isPauseWanted { return pause(upgrade) }
        upgrade.stage = .pauseFailed
        phase = .upgrading(upgrade)
        return [.answerPause(.upgradeIsOver)]
    }

    mutating func introductionFailed(_ reason: String) -> [Action] {
        guard case .upgrading(var upgrade) = phase, case .introducing = upgrade.stage else {
            return []
        }
        upgrade.stage = .pauseFailed
        phase = .upgrading(upgrade)
        return [.answerPause(.introduction(reason))]
    }

    mutating func pauseEnded(_ failure: String?) -> [Action] {
        guard case .upgrading(var upgrade) = phase, upgrade.stage == .pausing else {
            // It was overdue, and counted as failed.
            return []
        }
        upgrade.stage = failure == nil ? .paused : .pauseFailed
        phase = .upgrading(upgrade)
        return [.clearTimer(.pause), .answerPause(failure.map { .application($0) })]
    }

    private mutating func pauseOverdue() -> [Action] {
        guard case .upgrading(var upgrade) = phase, upgrade.stage == .pausing else { return [] }
        upgrade.stage = .pauseFailed
        phase = .upgrading(upgrade)
        return [.answerPause(.overdue(deadlines.pause))]
    }

    mutating func committed() -> [Action] {
        guard case .upgrading(var upgrade) = phase, upgrade.stage == .paused else {
            // A generation that drains has nothing that could stand by.
            return []
        }
        upgrade.stage = .standingBy
        phase = .upgrading(upgrade)
        return [.enter(.standby)]
    }

    // MARK: Accepting again

    mutating func resumptionNeeded() -> [Action] {
        guard case .upgrading(var upgrade) = phase else { return [] }
        upgrade.stage = .resuming
        phase = .upgrading(upgrade)
        return [.setTimer(.resume, deadlines.resume), .resumeAcceptors]
    }

    mutating func resumed() -> [Action] {
        switch phase {
        case .upgrading(var upgrade):
            guard upgrade.stage == .resuming else { return [] }
            upgrade.stage = .resumed
            phase = .upgrading(upgrade)
            return [.clearTimer(.resume), .enter(.serving)] + takeBackMainProcess(isServing: true)
        case .resuming:
            phase = .serving
            return [.clearTimer(.resume), .enter(.serving)] + takeBackMainProcess(isServing: true)
        case .draining, .left:
            // Told to leave meanwhile: that stands.
            return [.clearTimer(.resume)] + takeBackMainProcess(isServing: false)
        case .starting, .serving:
            // Nothing was to be resumed.
            return []
        }
    }

    private func takeBackMainProcess(isServing: Bool) -> [Action] {
        hasManager ? [.takeBackMainProcess(isServing: isServing)] : []
    }

    mutating func timerExpired(_ timer: Timer) -> [Action] {
        switch timer {
        case .pause: pauseOverdue()
        // The timer is cleared when the acceptors run.
        case .resume: [.notify(.resumptionHangs)]
        case .rescue: rescuePauseEnded()
        }
    }
}
