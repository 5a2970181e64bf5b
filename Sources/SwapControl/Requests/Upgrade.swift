// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem

/// One upgrade, as the operator sees it.
///
/// The server carries it out: whoever leaves while it runs disturbs nothing.
package struct Upgrade: Sendable {
    private let client: ControlClient
    private let request: UpgradeRequest
    private let progressMode: ProgressMode

    package init(_ service: Service, _ request: UpgradeRequest, progressMode: ProgressMode = .quiet)
    {
        client = ControlClient(service)
        self.request = request
        self.progressMode = progressMode
    }

    /// Asks for the upgrade and returns when it is over: with the result if detached, else when the predecessor is gone.
    ///
    /// An upgrade that fails is an outcome; thrown is that it was not begun, or that its outcome cannot be learnt.
    package func run(
        _ observe: (ControlEvent) -> Void
    ) throws(ControlError) -> UpgradeOutcome {
        var (outcome, leaving) = try decide(observe)
        guard !request.isDetached, outcome.interruption == nil else { return outcome }
        do {
            outcome.drain = try leaving?.follow(observe)
        } catch {
            outcome.interruption = error.signal
        }
        return outcome
    }

    /// Asks for the upgrade and returns with its result, and with the predecessor that has still to leave.
    package func decide(
        _ observe: (ControlEvent) -> Void
    ) throws(ControlError) -> (UpgradeOutcome, Leaving?) {
        // A generation leaves with each turn, and there were never more than a few.
        for _ in 0..<32 {
            do {
                return try decideOnce(observe)
            } catch {
                let isCrowded = error.exitCode == .tooManyGenerations
                guard isCrowded, request.evictsOldest else { throw error }
                try Eviction(client: client, progressMode: progressMode).run(observe)
            }
        }
        return try decideOnce(observe)
    }

    private func decideOnce(
        _ observe: (ControlEvent) -> Void
    ) throws(ControlError) -> (UpgradeOutcome, Leaving?) {
        let (socket, predecessor) = try client.askServing()
        let connection = try client.connect(socket)
        let start = Clock.now
        try connection.send(request.message)
        observe(.asked(predecessor))
        var outcome: UpgradeOutcome
        var interruption: Int32?
        switch try awaitResult(connection, observe) {
        case .message(let result, let signal):
            outcome = try read(result, predecessor, since: start)
            interruption = signal
        case .ended:
            let wanted = request.command?.executable ?? predecessor.executable
            outcome = try LostConnectionRecovery(client, predecessor.serving, wanted: wanted)
                .outcome(since: start)
        case .interrupted(let signal):
            return (goesOn(predecessor.serving, signal, since: start), nil)
        }
        outcome.interruption = interruption ?? Interruption.pending()
        switch outcome.result {
        case .committed(let successor): observe(.committed(successor))
        case .unchanged(let failure): observe(.failed(failure))
        }
        let isLeaving = outcome.isCommitted && !outcome.isConnectionLost
        return (
            outcome,
            isLeaving ? Leaving(connection, predecessor.generation, progressMode) : nil
        )
    }

    /// A predecessor that drains.
    package struct Leaving: Sendable {
        private let connection: ControlConnection
        package let generation: Int
        private let progressMode: ProgressMode

        init(_ connection: ControlConnection, _ generation: Int, _ progressMode: ProgressMode) {
            self.connection = connection
            self.generation = generation
            self.progressMode = progressMode
        }

        /// Returns when it is gone, or is still there long after its deadline.
        ///
        /// Throws only that a signal has ended the wait.
        package func follow(
            _ observe: (ControlEvent) -> Void
        ) throws(ControlError) -> DrainOutcome {
            do {
                return try connection.followDrain(
                    of: generation, progressMode: progressMode, observe)
            } catch {
                if error.signal != nil { throw error }
                // It is committed whatever the predecessor says from here on.
                return DrainOutcome(
                    end: error.isTimeout ? .timedOut : .died, cut: nil, elapsedMicroseconds: 0)
            }
        }
    }

    private enum Answer {
        case message(Message, signal: Int32?)
        /// The connection ended, or nothing was heard for so long that the server must hang.
        case ended
        case interrupted(Int32)
    }

    /// After a signal the result is waited for a little: whoever stops swapctl may have stopped the
    /// server too, and that calls the upgrade off.
    private func awaitResult(
        _ connection: ControlConnection, _ observe: (ControlEvent) -> Void
    ) throws(ControlError) -> Answer {
        var signal: Int32?
        var end = silence
        while true {
            do {
                guard
                    let message = try connection.next(
                        deadline: end, progressMode: progressMode, observe)
                else {
                    return .ended
                }
                if message.kind == .result { return .message(message, signal: signal) }
                if message.kind == .step, let step = UpgradeStep(message) { observe(.step(step)) }
                if signal == nil { end = silence }
            } catch {
                if let first = error.signal {
                    // The second one wants an end at once.
                    if let signal { return .interrupted(signal) }
                    signal = first
                    let patience = first == Signals.terminate ? 4_000 : 0
                    end = Clock.after(milliseconds: patience)
                } else if error.isTimeout {
                    if let signal { return .interrupted(signal) }
                    return .ended
                } else {
                    throw error
                }
            }
        }
    }

    private func goesOn(
        _ predecessor: GenerationReference, _ signal: Int32, since start: UInt64
    ) -> UpgradeOutcome {
        let failure = UpgradeFailure(
            code: ControlError.interrupted, reason: "\(Signals.name(signal)) ended the wait")
        var outcome = UpgradeOutcome(
            service: client.service.name, predecessor: predecessor, result: .unchanged(failure),
            serving: nil)
        outcome.elapsedMicroseconds = Clock.microseconds(since: start)
        outcome.interruption = signal
        outcome.goesOn = true
        return outcome
    }

    /// How long the server may say nothing.
    ///
    /// Between two steps lies at most the time for the successor to become ready, which only the server knows if
    /// nothing was asked, and some deadlines of seconds (docs/protocol.md §2.3).
    private var silence: UInt64 {
        let longest = request.timeout?.wholeMilliseconds ?? 600_000
        return Clock.after(milliseconds: longest.addingClamped(60_000))
    }

    private func read(
        _ result: Message, _ predecessor: GenerationStatus, since start: UInt64
    ) throws(ControlError) -> UpgradeOutcome {
        // Numbers of the predecessor's pid namespace, which may mean other processes here.
        let isSeen = predecessor.visibleProcessID == predecessor.processID
        let serving = result.number(.generation).map { generation in
            GenerationReference(
                generation: generation,
                processID: generation == predecessor.generation
                    ? predecessor.visibleProcessID
                    : isSeen ? result.number(.processID) : nil)
        }
        var outcome = UpgradeOutcome(
            service: client.service.name, predecessor: predecessor.serving,
            result: .unchanged(UpgradeFailure(result)), serving: serving)
        outcome.elapsedMicroseconds = Clock.microseconds(since: start)
        outcome.drainDeadline = request.drainDeadline
        switch result.text("RESULT") {
        case "unchanged": return outcome
        case "committed":
            guard let serving else {
                throw .protocolViolation("the result does not say who serves")
            }
            outcome.result = .committed(serving)
            outcome.untaken = result.texts("LEFT").map(\.terminalSafe)
            if !outcome.untaken.isEmpty {
                outcome.warning =
                    "\(serving) did not take \(outcome.untaken.joined(separator: ", ")): closed"
            }
            return outcome
        case let other:
            throw .protocolViolation("the result of the upgrade is '\((other ?? "").terminalSafe)'")
        }
    }
}
