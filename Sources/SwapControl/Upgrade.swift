// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem

/// One upgrade, as the operator sees it.
///
/// The server carries it out: whoever leaves while it runs disturbs nothing.
package struct Upgrade: Sendable {
    private let client: ControlClient
    private let request: UpgradeRequest
    private let pace: Pace

    package init(_ service: Service, _ request: UpgradeRequest, pace: Pace = .quiet) {
        client = ControlClient(service)
        self.request = request
        self.pace = pace
    }

    /// Asks for the upgrade and returns when it is over: with the result if detached, else when the predecessor is gone.
    ///
    /// An upgrade that fails is an outcome; thrown is that it was not begun, or that its outcome cannot be learnt.
    package func run(
        _ observe: (ControlEvent) -> Void
    ) throws(ControlError) -> UpgradeOutcome {
        let predecessor = try client.servingStatus()
        let connection = try client.connect(predecessor.generation)
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
            outcome = try Aftermath(client, predecessor.serving).outcome(since: start)
        case .interrupted(let signal):
            return goesOn(predecessor.serving, signal, since: start)
        }
        outcome.interruption = interruption ?? Interruption.pending()
        switch outcome.result {
        case .committed(let successor): observe(.committed(successor))
        case .unchanged(let failure): observe(.failed(failure))
        }
        if outcome.isCommitted, !request.isDetached, !outcome.isConnectionLost,
            outcome.interruption == nil
        {
            do {
                outcome.departure = try follow(connection, predecessor.generation, observe)
            } catch {
                outcome.interruption = error.signal
            }
        }
        return outcome
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
                guard let message = try connection.next(deadline: end, pace: pace, observe) else {
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
        _ predecessor: Serving, _ signal: Int32, since start: UInt64
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
        let serving = result.integer("GENERATION").map {
            Serving(generation: $0, processID: result.integer("PID"))
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
            return outcome
        case let other:
            throw .protocolViolation("the result of the upgrade is '\((other ?? "").harmless)'")
        }
    }

    private func follow(
        _ connection: ControlConnection, _ generation: Int, _ observe: (ControlEvent) -> Void
    ) throws(ControlError) -> Departure {
        do {
            return try connection.followDeparture(of: generation, pace: pace, observe)
        } catch {
            if error.signal != nil { throw error }
            // It is committed whatever the predecessor says from here on.
            return Departure(
                end: error.isTimeout ? .stays : .died, cut: nil, elapsedMicroseconds: 0)
        }
    }
}
