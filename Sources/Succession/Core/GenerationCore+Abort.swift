// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem
import Synchronization

/// Operators who call an upgrade off.
extension GenerationCore {
    /// Calls the upgrade that runs off; the operator is answered when it is undone.
    func abort(_ session: ControlSession) {
        guard isUpgrading else { return session.refuse(nothingToAbort()) }
        let pid = session.peer.processID
        let reason = "called off by \(pid > 0 ? "pid \(pid)" : "an operator")"
        report(.info, "the upgrade is \(reason)")
        aborts.append(AbortRequest(session: session))
        if abortReason == nil { abortReason = reason }
        collection?.cancel()
        attempt?.cancel(reason)
    }

    /// To be called when an upgrade is over, with what it failed for, nil if it succeeded.
    func answerAborts(_ outcome: PredecessorDriver.Outcome) {
        let waiting = aborts
        aborts = []
        abortReason = nil
        for request in waiting {
            guard outcome.failure != nil else {
                // Its `accepting` was on the way.
                request.session.refuse(tooLate())
                continue
            }
            request.session.send(
                Wire.Aborted(
                    generation: number, processID: ProcessEnvironment.processID,
                    successor: outcome.successor > 0 ? outcome.successor : nil,
                    elapsed: .since(request.since)))
            request.session.close()
        }
    }

    private func nothingToAbort() -> Failure {
        if attempt != nil { return tooLate() }
        if let successorDriver, !hasAccepted, !successorDriver.isPredecessorGone {
            return Failure(
                code: .noUpgrade,
                reason:
                    "generation \(number) is the successor in an upgrade: its predecessor calls it off"
            )
        }
        return Failure(
            code: .noUpgrade, reason: "no upgrade is running: there is nothing to call off")
    }

    private func tooLate() -> Failure {
        let pid = attempt.map { " (pid \($0.successorPID))" } ?? ""
        return Failure(
            code: .tooLate,
            reason:
                "generation \(number + 1)\(pid) has taken over already: to return, upgrade to the former program"
        )
    }
}
