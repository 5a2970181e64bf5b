// SPDX-License-Identifier: Apache-2.0

/// Requests that neither start nor end anything by themselves.
extension GenerationLifecycle {
    /// Calls off what runs; it is answered when that is undone, or has succeeded all the same.
    mutating func abortRequested(_ request: Request) -> [Action] {
        switch phase {
        case .upgrading(var upgrade):
            upgrade.aborts.append(request)
            return callOff(upgrade, .aborted(request))
        case .draining(let drain):
            switch drain.occupation {
            case .rescue(var rescue):
                rescue.aborts.append(request)
                return callOff(rescue, drain, .aborted(request))
            case .concluding:
                return [.refuseAbort(request, .tooLate)]
            case .none:
                return [.refuseAbort(request, nothingToAbort(hasSuccessor: drain.hasSuccessor))]
            }
        case .left(let hasSuccessor):
            return [.refuseAbort(request, nothingToAbort(hasSuccessor: hasSuccessor))]
        case .starting:
            return [.refuseAbort(request, .noUpgrade(isSuccessor: isAwaited))]
        case .serving, .resuming:
            return [.refuseAbort(request, .noUpgrade(isSuccessor: false))]
        }
    }

    private func nothingToAbort(hasSuccessor: Bool) -> Refusal {
        hasSuccessor ? .tooLate : .noUpgrade(isSuccessor: isAwaited)
    }

    mutating func reloadRequested(_ request: Request) -> [Action] {
        guard let refusal = refusalUnlessServing() else { return [.reload(request)] }
        return [.refuseReload(request, refusal, isForManager: isMainProcess)]
    }

    mutating func reloadEnded(_ failure: Failure?) -> [Action] {
        // Another process is the service's by now.
        isDraining ? [] : [.announceReloadEnd(failure)]
    }

    /// Whether the service manager takes this process, which has accepted, for the main one.
    private var isMainProcess: Bool {
        switch phase {
        case .serving, .resuming: true
        case .upgrading(let upgrade):
            switch upgrade.stage {
            case .collecting, .preparing, .resumed: true
            case .introducing, .pausing, .paused, .standingBy, .pauseFailed, .resuming: false
            }
        case .starting, .draining, .left: false
        }
    }
}
