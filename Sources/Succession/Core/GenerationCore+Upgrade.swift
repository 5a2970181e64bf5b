// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import Synchronization

/// Upgrades, from the request to the answer.
extension GenerationCore {
    /// Starts an upgrade, or says why not; the session, if any, hears each step and the result.
    func upgrade(_ plan: LaunchPlan, session: ControlSession?) {
        handle(.upgradeRequested(requests.add(.upgrade(plan, session))))
    }

    func inspectSurroundings(_ request: GenerationLifecycle.Request) {
        guard case .upgrade(let plan, _) = requests[request] else { return }
        let surroundings = GenerationLifecycle.Surroundings(
            hasWaitingParent: obstacleOfParent() != nil, otherGenerations: otherGenerations().count)
        handle(.inspected(request, surroundings, ready: plan.readyTimeout))
    }

    func refuseUpgrade(
        _ request: GenerationLifecycle.Request, _ refusal: GenerationLifecycle.Refusal
    ) {
        let session = requests.remove(request)?.session
        let refuse = { @ControlThread [weak self] (failure: Failure) in
            self?.report(
                .warning, "no upgrade: \(failure.reason)",
                .upgradeRefused(code: failure.code.rawValue))
            session?.refuse(failure)
        }
        // Whom to wait for is for them to say.
        if case .generations(let maximum) = refusal {
            return describeCrowd(maximum) { refuse(self.failure(of: refusal, toDo: $0)) }
        }
        refuse(failure(of: refusal, toDo: "be upgraded"))
    }

    // MARK: The state

    func collectState(within limit: Duration) {
        guard let provider = shared.withLock({ $0.stateProvider }) else {
            handle(.stateCollected)
            return
        }
        let collection = StateCollection()
        self.collection = collection
        ControlThread.begin { [self] in
            do {
                collectedState = try await collection.collect(from: provider, within: limit)
                self.collection = nil
                handle(.stateCollected)
            } catch {
                self.collection = nil
                handle(.stateFailed(reason: "\(error)"))
            }
        }
    }

    // MARK: The attempt

    func beginAttempt(_ request: GenerationLifecycle.Request, isRescue: Bool) {
        var plan = rescuePlan()
        var session: ControlSession?
        if case .upgrade(let wanted, let asker) = requests[request] {
            plan = wanted
            session = asker
        }
        // Clients may have used up all descriptors: what the start of a successor takes is kept back.
        startLoan = DescriptorReserve.shared.lend()
        let attempt = PredecessorDriver(
            self, plan: plan, requestedBy: request.processID, state: collectedState?.content,
            isRescue: isRescue,
            whenStepped: { [weak self] step in
                if step.hasStarted { self?.endStartLoan() }
                session?.send(step)
                self?.reportStep(step)
            },
            whenDone: { [weak self] in self?.attemptEnded($0) })
        collectedState = nil
        self.attempt = attempt
        attempt.begin()
    }

    private func endStartLoan() {
        startLoan?.end()
        startLoan = nil
    }

    private func attemptEnded(_ outcome: PredecessorDriver.Outcome) {
        endStartLoan()
        self.outcome = outcome
        handle(.attemptEnded(outcome.failure))
        self.outcome = nil
    }

    // MARK: The end

    func endUpgrade(
        _ request: GenerationLifecycle.Request, _ end: GenerationLifecycle.UpgradeEnd
    ) {
        let outcome = outcome(of: end)
        offeredDescriptors = []
        collectedState = nil
        reportEnd(outcome)
        if outcome.failure != nil {
            attempt = nil
            // A successor that was killed could not take its control socket along.
            directory.removeIfStale(number + 1)
            directory.removeLeftovers()
        }
        guard let session = requests.remove(request)?.session else { return }
        session.send(result(outcome))
        if outcome.failure == nil { addAudience(session) } else { session.close() }
    }

    private func outcome(of end: GenerationLifecycle.UpgradeEnd) -> PredecessorDriver.Outcome {
        let failure: Failure
        switch end {
        case .succeeded, .failed:
            if let outcome { return outcome }
            // The lifecycle ends an attempt only when that has said how it ended.
            failure = Failure(code: .application, reason: "the upgrade has ended")
        case .calledOff(let reason):
            failure = Failure(code: .operator, reason: self.reason(of: reason))
        case .stateFailed(let reason):
            failure = Failure(
                code: .state, reason: "the application could not write its state: \(reason)")
        }
        return PredecessorDriver.Outcome(failure: failure, successor: 0)
    }

    private func result(_ outcome: PredecessorDriver.Outcome) -> Wire.UpgradeResult {
        guard let failure = outcome.failure else {
            return Wire.UpgradeResult(
                .committed(left: outcome.untaken), generation: number + 1,
                processID: outcome.successor)
        }
        var unchanged = Wire.UpgradeResult.Unchanged(failure, standardError: outcome.lastLines)
        if outcome.successor > 0 { unchanged.successor = outcome.successor }
        switch outcome.exit {
        case .exited(let status): unchanged.exitStatus = Int(status)
        case .signaled(let signal, _): unchanged.signal = Int(signal)
        case nil: break
        }
        return Wire.UpgradeResult(
            .unchanged(unchanged), generation: number, processID: ProcessEnvironment.processID)
    }
}
