// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem

/// Asks the serving generation for an upgrade, and follows it to its end.
///
/// The server carries the upgrade out: it goes on if the operator leaves.
package struct Upgrade: Sendable {
    private let client: ControlClient
    private let request: UpgradeRequest
    private let progressMode: ProgressMode

    package init(
        _ service: Service, _ request: UpgradeRequest, progressMode: ProgressMode = .quiet,
        interruption: Interruption? = nil
    ) {
        client = ControlClient(service, interruption: interruption)
        self.request = request
        self.progressMode = progressMode
    }

    /// Asks for the upgrade; returns with the result if detached, else when the predecessor's process has ended.
    ///
    /// A failed upgrade is an outcome, not an error. Throws if the upgrade was not begun, or if its outcome cannot be
    /// learnt. An interruption after the result is not an error: the outcome then has no drain.
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

    /// Asks for the upgrade; returns with the result, and with the predecessor if it still drains.
    package func decide(
        _ observe: (ControlEvent) -> Void
    ) throws(ControlError) -> (UpgradeOutcome, Leaving?) {
        // Each turn ends one generation, and a service has only a few.
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
        try connection.send(request.wire)
        observe(.asked(predecessor))
        var outcome: UpgradeOutcome
        var interruption: Int32?
        switch try awaitResult(connection, observe) {
        case .result(let result, let signal):
            outcome = try UpgradeOutcome(
                result, service: client.service.name, predecessor: predecessor)
            outcome.elapsedMicroseconds = Clock.microseconds(since: start)
            outcome.drainDeadline = request.drainDeadline
            interruption = signal
        case .ended:
            let wanted = request.command?.executable ?? predecessor.executable
            outcome = try LostConnectionRecovery(client, predecessor.serving, wanted: wanted)
                .outcome(since: start)
        case .interrupted(let signal):
            return (goesOn(predecessor.serving, signal, since: start), nil)
        }
        outcome.interruption = interruption ?? client.interruption?.takeSignal()
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

    /// A predecessor that drains after the commit.
    package struct Leaving: Sendable {
        private let connection: ControlConnection
        package let generation: Int
        private let progressMode: ProgressMode

        init(_ connection: ControlConnection, _ generation: Int, _ progressMode: ProgressMode) {
            self.connection = connection
            self.generation = generation
            self.progressMode = progressMode
        }

        /// Returns when its process has ended, or still runs 15 s after its deadline.
        ///
        /// Throws only an interruption.
        package func follow(
            _ observe: (ControlEvent) -> Void
        ) throws(ControlError) -> DrainOutcome {
            do {
                return try connection.followDrain(
                    of: generation, progressMode: progressMode, observe)
            } catch {
                if error.isInterruption { throw error }
                // The upgrade is committed, whatever the predecessor answers from here on.
                return DrainOutcome(
                    end: error.isTimeout ? .timedOut : .died, cut: nil, elapsedMicroseconds: 0)
            }
        }
    }

    private enum Answer {
        case result(Wire.UpgradeResult, signal: Int32?)
        /// The connection ended, or the server was silent for longer than any step may take.
        case ended
        case interrupted(Int32)
    }

    /// Waits for the result; after SIGTERM for at most 4 s more.
    ///
    /// The manager that ends swapctl may have stopped the server too, and that calls the upgrade off.
    private func awaitResult(
        _ connection: ControlConnection, _ observe: (ControlEvent) -> Void
    ) throws(ControlError) -> Answer {
        var signal: Int32?
        var end = silenceDeadline
        while true {
            do {
                guard
                    let answer = try connection.next(
                        deadline: end, progressMode: progressMode, observe)
                else { return .ended }
                switch answer {
                case .result(let result): return .result(result, signal: signal)
                case .step(let step): UpgradeStep(step).map { observe(.step($0)) }
                case .status, .draining, .drained, .aborted, .reloaded, .malformed, .misplaced:
                    break
                }
                if signal == nil { end = silenceDeadline }
            } catch {
                if let first = error.signal {
                    // A second signal ends the wait at once.
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
            code: .interrupted, reason: "\(Signals.name(signal)) ended the wait")
        var outcome = UpgradeOutcome(
            service: client.service.name, predecessor: predecessor, result: .unchanged(failure),
            serving: nil)
        outcome.elapsedMicroseconds = Clock.microseconds(since: start)
        outcome.interruption = signal
        outcome.goesOn = true
        return outcome
    }

    /// When the silence of the server has lasted too long, from now.
    ///
    /// Between two steps lies at most the time the successor has to become ready, which only the server knows if the
    /// request has no timeout, and some deadlines of seconds (docs/protocol.md §2.3).
    private var silenceDeadline: UInt64 {
        let longest = request.timeout?.wholeMilliseconds ?? 600_000
        return Clock.after(milliseconds: longest.addingClamped(60_000))
    }
}
