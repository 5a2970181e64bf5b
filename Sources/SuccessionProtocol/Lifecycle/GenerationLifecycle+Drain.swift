// SPDX-License-Identifier: Apache-2.0

/// The end of a generation.
extension GenerationLifecycle {
    /// The successor accepts.
    mutating func succeeded(deadline: Duration?) -> [Action] {
        guard case .upgrading(let upgrade) = phase else {
            // A generation whose dead successor has been replaced drains already.
            return []
        }
        holdsLock = false
        // The successor holds the same lock; this copy would keep a later instance out while this
        // generation drains.
        return [.releaseLock] + beginDrain(deadline ?? deadlines.drain, concluding: upgrade)
    }

    /// Stops accepting for good and gives what is open until the deadline.
    mutating func drainRequested(_ deadline: Duration?) -> [Action] {
        let deadline = deadline ?? deadlines.drain
        switch phase {
        case .starting, .serving, .resuming:
            return beginDrain(deadline)
        case .upgrading(var upgrade):
            upgrade.postponedDrain = min(deadline, upgrade.postponedDrain ?? deadline)
            return callOff(upgrade, .toldToLeave)
        case .draining(var drain):
            drain.isToldToLeave = true
            phase = .draining(drain)
            let shortens: [Action] = [
                .shortenDrain(to: drain.isBereft ? min(deadline, deadlines.bereft) : deadline)
            ]
            guard case .rescue(let rescue) = drain.occupation else { return shortens }
            // A generation that is told to leave starts no other one.
            return shortens + callOff(rescue, drain, .toldToLeave)
        case .left:
            // There is nothing left to end.
            return []
        }
    }

    mutating func callOff(_ upgrade: Upgrade, _ reason: CallOff) -> [Action] {
        var upgrade = upgrade
        let reason = upgrade.callOff ?? reason
        upgrade.callOff = reason
        phase = .upgrading(upgrade)
        return upgrade.stage == .collecting ? [.cancelCollection(reason)] : [.cancelAttempt(reason)]
    }

    /// - Parameter upgrade: the one that has succeeded; nil: nobody is to succeed.
    mutating func beginDrain(
        _ deadline: Duration, concluding upgrade: Upgrade? = nil
    ) -> [Action] {
        let hasSuccessor = upgrade != nil
        // Its predecessor serves on.
        let refuses = !hasSuccessor && isAwaited
        let isLast = !hasSuccessor && !refuses
        phase = .draining(
            Drain(
                deadline: deadline, hasSuccessor: hasSuccessor, keepsListeners: hasSuccessor,
                occupation: upgrade.map { .concluding($0) } ?? .none))
        var actions: [Action] = origin == .successor ? [.sayLeaving] : []
        actions.append(.endReloads(hasSuccessor: hasSuccessor))
        if hasManager {
            actions +=
                isLast
                ? [.announceStopping, .extendTimeout(deadlines.wholeDrain(deadline))]
                : [.endExtensions, .stopPings]
        }
        let removal: PathRemoval = isLast ? .all : hasAccepted ? .none : .ownPaths
        actions += [
            .beginDrain(deadline: deadline, isLast: isLast),
            .enter(.draining(deadline: deadline)),
            .stopAcceptors(removing: removal, keepsListeners: hasSuccessor),
        ]
        return actions + (refuses ? [.refuseToSucceed] : [])
    }

    mutating func drainEnded() -> [Action] {
        guard case .draining(let drain) = phase else { return [] }
        phase = .left(hasSuccessor: drain.hasSuccessor)
        return drain.keepsListeners ? [.letGoOfListeners] : []
    }
}
