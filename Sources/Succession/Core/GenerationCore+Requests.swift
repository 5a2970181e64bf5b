// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import Synchronization

/// What operators ask for.
extension GenerationCore {
    func respond(to message: Message, _ session: ControlSession) {
        switch message.kind {
        case .status:
            session.send(status())
            session.close()
        case .upgrade:
            let plan = LaunchPlan(message)
            if let refusal = plan.refusal { return session.refuse(refusal) }
            upgrade(plan, session: session)
        case .abort: abort(session)
        case .drain:
            addAudience(session)
            beginDrain(deadline: message.duration(.deadline))
        case .stop:
            addAudience(session)
            beginDrain(deadline: .zero)
        case .reload:
            reload(
                Reloading.Asker("pid \(session.peer.processID)", session: session),
                within: message.duration(.timeout))
        default:
            session.refuse(Failure.unknownKind(message.kind.rawValue))
        }
    }

    private func status() -> Message {
        StatusReply(
            service: service, generation: number, state: states.current, stateSince: stateSince,
            bornAt: bornAt, executable: program.path, running: program.file,
            connections: connections.count,
            remaining: drain?.remaining,
            upgrade: upgradeRequest.map { (attempt?.successorPID ?? 0, $0.since, $0.by) },
            listeners: shared.withLock { $0.listeners }.map { Manifest.entry(for: $0) },
            oldest: connections.oldest(5), supervision: supervision, store: store,
            maximumGenerations: maximumGenerations
        ).message()
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
                session?.send(step.message())
                self?.reportStep(step)
            },
            whenDone: { [weak self] outcome in
                self?.upgradeRequest = nil
                self?.conclude(outcome, session: session)
            })
        self.attempt = attempt
        attempt.begin()
    }

    func endStartLoan(after step: StepReport) {
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

    private func result(_ outcome: PredecessorDriver.Outcome) -> Message {
        var message = Message(.result)
        guard let failure = outcome.failure else {
            message.add("RESULT", "committed")
            message.add("GENERATION", number + 1)
            message.add("PID", Int(outcome.successor))
            for listener in outcome.untaken { message.add("LEFT", listener) }
            return message
        }
        message.add("RESULT", "unchanged")
        message.add("CODE", failure.code.rawValue)
        message.add("REASON", failure.reason)
        message.add("GENERATION", number)
        message.add("PID", Int(ProcessEnvironment.processID))
        if outcome.successor > 0 { message.add("SUCCESSOR", Int(outcome.successor)) }
        switch outcome.exit {
        case .exited(let status): message.add("EXIT", Int(status))
        case .signaled(let signal, _): message.add("SIGNAL", Int(signal))
        case nil: break
        }
        for line in outcome.lastLines { message.add("STDERR", line) }
        return message
    }
}

extension LaunchPlan {
    /// Reads an operator's request.
    init(_ message: Message) {
        self.init()
        executable = message.text("EXECUTABLE")
        let arguments = message.texts("ARG")
        self.arguments = arguments.isEmpty ? nil : arguments
        environmentChanges = message.texts("ENV")
        readyTimeout = message.duration(.timeout)
        drainDeadline = message.duration(.drain)
        wantsAllTaken = message.number(.strict) == 1
    }

    /// Why nothing can be started this way.
    fileprivate var refusal: Failure? {
        guard let name = environmentChanges.lazy.compactMap(OwnVariables.name).first else {
            return nil
        }
        return Failure(
            code: .malformed,
            reason: "ENV=\(name): it speaks of one process alone; the successor gets its own")
    }
}

extension StepReport {
    func message() -> Message {
        var message = Message(.step)
        message.add("STEP", step)
        message.add("STATUS", status)
        message.add("ELAPSED_US", elapsed.microsecondsClamped)
        message.add("DETAIL", detail)
        return message
    }
}
