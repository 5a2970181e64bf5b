// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem

/// A generation performs what ``GenerationLifecycle`` decides.
extension GenerationCore {
    /// Tells the lifecycle what has happened and performs what it wants; returns that, for the few who
    /// wait for it.
    @discardableResult
    func handle(_ event: GenerationLifecycle.Event) -> [GenerationLifecycle.Action] {
        // The driver of the hand-over knows first.
        if lifecycle.hasPredecessor, successorDriver?.isPredecessorGone == true,
            event != .predecessorGone
        {
            handle(.predecessorGone)
        }
        let actions = lifecycle.handle(event)
        for action in actions { perform(action) }
        return actions
    }

    private func perform(_ action: GenerationLifecycle.Action) {
        switch action {
        case .enter(let state): enter(GenerationState(state))
        // Done by the code that waits for this generation to accept.
        case .startAcceptors, .refuseTurn, .sayReady: break
        case .announceServing: announceServing()
        case .pauseAcceptors: pauseAcceptors()
        case .resumeAcceptors: resumeAcceptors()
        case .stopAcceptors(let removing, let keepsListeners):
            stopAcceptors(removing: removing, keepsListeners: keepsListeners)
        case .letGoOfListeners: ControlThread.begin { [self] in await acceptors.letGo() }

        case .inspectSurroundings(let request): inspectSurroundings(request)
        case .refuseUpgrade(let request, let refusal): refuseUpgrade(request, refusal)
        case .collectState(let limit): collectState(within: limit)
        case .cancelCollection(let reason):
            reportCallOff(reason)
            collection?.cancel()
        case .beginAttempt(let request, let isRescue): beginAttempt(request, isRescue: isRescue)
        case .cancelAttempt(let reason):
            reportCallOff(reason)
            attempt?.cancel(self.reason(of: reason))
        case .answerPause(let failure): answerPause(failure)
        case .endUpgrade(let request, let end): endUpgrade(request, end)

        case .takeLock: takeLock()
        case .releaseLock:
            lock?.close()
            lock = nil
        case .removeServing: removeServing()

        case .startPings: supervision?.startPinging()
        case .stopPings: supervision?.stopPinging()
        case .extendTimeout(let limit): supervision?.extend(for: limit)
        case .endExtensions: supervision?.endExtensions()
        case .relinquishStore:
            step("introducing")
            store?.relinquish()
        case .introduceSuccessor(let limit): introduceSuccessor(within: limit)
        case .takeBackMainProcess(let isServing):
            supervision?.takeBack(isServing ? servingStatus() : nil)
            store?.takeBack()
        case .giveBackMainProcess(let limit): giveBackMainProcess(within: limit)
        case .announceStopping:
            supervision?.stopping("generation \(number) drains and is the last")

        case .beginDrain(let deadline, let isLast): beginDrain(deadline: deadline, isLast: isLast)
        case .shortenDrain(let deadline): drain?.shorten(to: deadline)
        case .holdDrain: drain?.hold()
        case .releaseDrain: drain?.release()

        case .refuseToSucceed:
            successorDriver?.refuse(
                Failure(
                    code: .operator,
                    reason: "generation \(number) was told to leave before it accepted"))
        case .sayLeaving: successorDriver?.leave()
        case .endHandover:
            endHandover?()
            endHandover = nil
        case .removeRemains: removeRemainsOfPredecessor()

        case .answerAbort(let request): answerAbort(request)
        case .refuseAbort(let request, let refusal): refuseAbort(request, refusal)
        case .reload(let request): reload(request)
        case .refuseReload(let request, let refusal, let isForManager):
            refuseReload(request, refusal, isForManager: isForManager)
        case .announceReloadEnd(let failure): announceReloadEnd(failure)
        case .endReloads(let hasSuccessor): endReloads(hasSuccessor: hasSuccessor)

        case .setTimer(let timer, let length): setTimer(timer, length)
        case .clearTimer(let timer): timers.removeValue(forKey: timer)?.cancel()
        case .notify(let notice): report(notice)
        }
    }

    private func setTimer(_ timer: GenerationLifecycle.Timer, _ length: Duration) {
        timers[timer]?.cancel()
        timers[timer] = ControlThread.schedule(after: length, of: .ownTime) { [weak self] in
            self?.timers[timer] = nil
            self?.handle(.timerExpired(timer))
        }
    }
}

extension GenerationState {
    init(_ state: GenerationLifecycle.VisibleState) {
        switch state {
        case .starting: self = .starting
        case .serving: self = .serving
        case .standby: self = .standby
        case .draining(let deadline): self = .draining(deadline: deadline)
        }
    }
}

extension HandoverDeadlines {
    init(_ configuration: GenerationConfiguration) {
        self.init()
        ready = configuration.readyTimeout
        drain = configuration.drainDeadline
        exitGrace = configuration.exitGrace
    }
}
