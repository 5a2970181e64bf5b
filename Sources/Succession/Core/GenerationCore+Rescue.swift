// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import Synchronization
import SystemPackage

/// A successor that dies while this generation still drains (docs/supervision.md).
///
/// Right after an upgrade is when a new release dies. This generation has told its application that
/// it accepts no more, and that stands; but it still has the listeners, and its own program, which
/// is known to serve: it starts that as its successor.
extension GenerationCore {
    /// How often, in one drain.
    private static let maximumRescues = 3
    /// What is left of the drain when the service manager waits for the end of this process to
    /// start the service anew.
    static var bereftDeadline: Duration { .seconds(2) }

    /// The successor that accepted is dead, and did not say that it leaves.
    func takeOver(from attempt: PredecessorDriver) {
        guard keepsListeners, attempt === self.attempt, let drain, !drain.isOver else { return }
        let end = attempt.exit.map { "\($0)" } ?? "has died"
        let news = "generation \(number + 1) (pid \(attempt.successorPID)) \(end)"
        guard supervision?.isChildOfManager != true else {
            report(.error, "\(news); the service manager starts the service anew")
            isBereft = true
            if isToldToLeave { drain.shorten(to: Self.bereftDeadline) }
            return
        }
        guard takeLockAgain(after: news) else { return letGo() }
        if isToldToLeave {
            report(.error, "\(news); this one was told to leave: nobody serves")
            return giveUpService()
        }
        report(.error, "\(news) while this one drains: starting this one's program in its place")
        drain.hold()
        rescue()
    }

    /// The process that holds the lock serves, or will: a successor of the dead one, or one that was
    /// started anew.
    private func takeLockAgain(after news: String) -> Bool {
        preparedOffer = nil
        do {
            lock = try DescriptorReserve.shared.sparing { () throws(Errno) in
                try directory.takeLock()
            }
        } catch {
            report(.error, "\(news); cannot lock \(directory.lockPath): \(error)")
            return false
        }
        if lock == nil { report(.error, "\(news); another process serves, or will") }
        return lock != nil
    }

    /// A generation that is told to leave starts no other one.
    func callOffRescue() {
        guard isUpgrading, lock != nil else { return }
        let reason = abortReason ?? "generation \(number) was told to leave"
        abortReason = reason
        collection?.cancel()
        attempt?.cancel(reason)
    }

    /// Nobody serves, and nobody will: clients are refused, and `serving` no longer leads anywhere.
    private func giveUpService() {
        // While the lock is held nobody else writes it.
        if directory.servingGeneration() == number + 1 {
            try? Syscall.unlink(directory.servingPath)
        }
        directory.removeIfStale(number + 1)
        directory.removeLeftovers()
        lock?.close()
        lock = nil
        letGo()
    }

    private func rescue() {
        rescues += 1
        if upgradeRequest == nil { upgradeRequest = (Syscall.monotonicNanoseconds(), nil) }
        // Not the dead successor's any more: what is called off is the start of another one.
        attempt = nil
        var plan = LaunchPlan()
        plan.executable = Self.runningProgram() ?? program.path
        plan.arguments = program.arguments
        plan.ownPath = program.path
        let provider = shared.withLock { $0.stateProvider }
        ControlThread.begin { [self, plan] in
            var state: HandedState?
            if let provider {
                let collection = StateCollection()
                self.collection = collection
                // Without it rather than not at all: the first of a line has none either.
                state = try? await collection.collect(
                    from: provider, within: configuration.readyTimeout)
                self.collection = nil
            }
            if let failure = calledOff() {
                return concludeRescue(PredecessorDriver.Outcome(failure: failure, successor: 0))
            }
            startLoan = DescriptorReserve.shared.lend()
            let attempt = PredecessorDriver(
                self, plan: plan, requestedBy: nil, state: state?.content, isRescue: true,
                whenStepped: { [weak self] in
                    self?.endStartLoan(after: $0)
                    self?.reportStep($0)
                },
                whenDone: { [weak self] in self?.concludeRescue($0) })
            self.attempt = attempt
            attempt.begin()
        }
    }

    private func calledOff() -> Failure? {
        abortReason.map { Failure(code: .operator, reason: $0) }
    }

    /// The file this process runs, whatever lies by now where it was started.
    private static func runningProgram() -> String? {
        let link = "/proc/self/exe"
        guard let running = try? Syscall.status(link), let path = try? Syscall.readLink(link) else {
            return nil
        }
        return (try? Syscall.status(path))?.identity == running.identity ? path : link
    }

    private func concludeRescue(_ outcome: PredecessorDriver.Outcome) {
        endStartLoan()
        guard let failure = outcome.failure else {
            lock?.close()
            lock = nil
            report(.info, "generation \(number + 1) (pid \(outcome.successor)) serves in its place")
            return endRescue(outcome)
        }
        attempt = nil
        directory.removeIfStale(number + 1)
        let mayTryAgain = rescues < Self.maximumRescues && failure.code != .operator
        guard mayTryAgain, abortReason == nil else {
            report(.error, "nobody serves: \(abortReason ?? failure.reason)")
            giveUpService()
            return endRescue(outcome)
        }
        report(.error, "could not be started: \(failure.reason); trying again")
        _ = ControlThread.schedule(after: .seconds(1)) { [weak self] in
            guard let self else { return }
            if let failure = calledOff() {
                return concludeRescue(PredecessorDriver.Outcome(failure: failure, successor: 0))
            }
            rescue()
        }
    }

    private func endRescue(_ outcome: PredecessorDriver.Outcome) {
        upgradeRequest = nil
        answerAborts(outcome)
        drain?.release()
    }

    /// What a successor says, or its end.
    func letGo(of attempt: PredecessorDriver) {
        if attempt === self.attempt { letGo() }
    }

    /// Nobody will need the listeners again: who connects is to learn that soon.
    func letGo() {
        guard keepsListeners else { return }
        keepsListeners = false
        ControlThread.begin { [self] in await acceptors.letGo() }
    }
}
