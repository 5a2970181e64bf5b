// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import Synchronization

/// What operators ask for.
extension GenerationCore {
    func respond(to request: ControlRequest, _ session: ControlSession) {
        switch request {
        case .status:
            session.send(status())
            session.close()
        case .upgrade(let request): upgrade(LaunchPlan(request), session: session)
        case .abort: abort(session)
        case .drain(let request):
            addAudience(session)
            beginDrain(deadline: request.deadline)
        case .stop:
            addAudience(session)
            beginDrain(deadline: .zero)
        case .reload(let request):
            reload(
                Reloading.Asker("pid \(session.peer.processID)", session: session),
                within: request.timeout)
        }
    }

    /// Starts an upgrade, or says why not; the session, if any, hears each step and the result.
    func upgrade(_ plan: LaunchPlan, session: ControlSession?) {
        if let refusal = refusal(unlessServing: "be upgraded") ?? refusalOfParent() {
            return refuseUpgrade(refusal, session)
        }
        let isCrowded = refuseIfCrowded { [weak self] in self?.refuseUpgrade($0, session) }
        if isCrowded { return }
        upgradeRequest = (Syscall.monotonicNanoseconds(), session?.peer.processID)
        let patience = plan.readyTimeout ?? configuration.readyTimeout
        // For the state, for the successor's start, and for the commit.
        supervision?.extend(for: patience + patience + .seconds(15))
        guard let provider = shared.withLock({ $0.stateProvider }) else {
            return begin(plan, state: nil, session: session)
        }
        let collection = StateCollection()
        self.collection = collection
        Task {
            defer { self.collection = nil }
            do {
                let state = try await collection.collect(
                    from: provider, within: patience)
                guard postponedDrain == nil, abortReason == nil else { return abandon(session) }
                begin(plan, state: state, session: session)
            } catch {
                if postponedDrain != nil || abortReason != nil { return abandon(session) }
                upgradeRequest = nil
                let failure = Failure(
                    code: .state, reason: "the application could not write its state: \(error)")
                conclude(
                    PredecessorDriver.Outcome(failure: failure, successor: 0), session: session)
            }
        }
    }

    private func refuseUpgrade(_ refusal: Failure, _ session: ControlSession?) {
        report(
            .warning, "no upgrade: \(refusal.reason)",
            .upgradeRefused(code: refusal.code.rawValue))
        session?.refuse(refusal)
    }

    /// Why something that only an undisturbed serving generation does is not done now.
    func refusal(unlessServing what: String) -> Failure? {
        if let upgradeRequest {
            let pid = attempt?.successorPID ?? 0
            let successor = pid > 0 ? "pid \(pid)" : "not started yet"
            let age = (Syscall.monotonicNanoseconds() - upgradeRequest.since) / 1_000_000
            let by = upgradeRequest.by.map { "pid \($0)" } ?? "a signal"
            return Failure(
                code: .busy,
                reason:
                    "an upgrade is running: generation \(number + 1) (\(successor)) was asked for by \(by) \(age) ms ago; `swapctl abort \(service)` calls it off"
            )
        }
        guard case .serving = states.current, drain == nil else {
            return Failure(
                code: .notServing,
                reason:
                    "generation \(number) (pid \(ProcessEnvironment.processID)) is \(states.current.word), and only one that serves can \(what)"
            )
        }
        return nil
    }

    /// A parent that waits for this process alone would end what the upgrade has begun.
    private func refusalOfParent() -> Failure? {
        ForegroundPolicy.obstacle(to: service, configuration, isFirst: successorDriver == nil)
            .map { Failure(code: .parent, reason: $0) }
    }

    /// Told to leave, or called off, before the successor was even started.
    private func abandon(_ session: ControlSession?) {
        upgradeRequest = nil
        let failure = Failure(
            code: .operator, reason: abortReason ?? "generation \(number) was told to leave")
        conclude(PredecessorDriver.Outcome(failure: failure, successor: 0), session: session)
    }

    private func begin(_ plan: LaunchPlan, state: HandedState?, session: ControlSession?) {
        // Clients may have used up all descriptors: what the start of a successor takes is kept back.
        startLoan = DescriptorReserve.shared.lend()
        let attempt = PredecessorDriver(
            self, plan: plan, requestedBy: session?.peer.processID, state: state?.content,
            whenStepped: { [weak self] step in
                self?.endStartLoan(after: step)
                session?.send(step)
                self?.reportStep(step)
            },
            whenDone: { [weak self] outcome in
                self?.upgradeRequest = nil
                self?.conclude(outcome, session: session)
            })
        self.attempt = attempt
        attempt.begin()
    }

    func endStartLoan(after step: Wire.Step) {
        if step.hasStarted { endStartLoan() }
    }

    func endStartLoan() {
        startLoan?.end()
        startLoan = nil
    }

    private func conclude(_ outcome: PredecessorDriver.Outcome, session: ControlSession?) {
        endStartLoan()
        reportEnd(outcome)
        if outcome.failure != nil {
            supervision?.endExtensions()
            attempt = nil
            // A successor that was killed could not take its control socket along.
            directory.removeIfStale(number + 1)
            directory.removeLeftovers()
        }
        session?.send(result(outcome))
        if outcome.failure != nil {
            session?.close()
        } else if let session {
            addAudience(session)
        }
        answerAborts(outcome)
        beginPostponedDrain()
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

extension LaunchPlan {
    /// What an operator asks for.
    init(_ request: Wire.Upgrade) {
        self.init()
        executable = request.executable
        arguments = request.arguments.isEmpty ? nil : request.arguments
        environmentChanges = request.environment
        readyTimeout = request.timeout
        drainDeadline = request.drainDeadline
        wantsAllTaken = request.isStrict
    }
}
