// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// How an upgrade ended.
package struct UpgradeOutcome: Sendable, Hashable {
    package enum Result: Sendable, Hashable {
        case committed(GenerationReference)
        case unchanged(UpgradeFailure)
    }

    package let service: String
    package let predecessor: GenerationReference
    package var result: Result
    /// Nil if the server did not say.
    package var serving: GenerationReference?
    /// From the request to the result.
    package var elapsedMicroseconds = 0
    /// What was asked for; nil: the server's own.
    package var drainDeadline: Duration?
    /// Nil if nobody waited for it.
    package var drain: DrainOutcome?
    /// The connection ended before the result came, and what is told here was found out afterwards.
    package var isConnectionLost = false
    /// Only looked at where the connection was lost.
    package var isPredecessorAlive = false
    /// Which program serves now cannot be told.
    package var isInDoubt = false
    /// Listeners that the new generation did not take, and that are closed: name and address.
    package var untaken: [String] = []
    /// The signal that ended the wait; nil: nothing did.
    package var interruption: Int32?
    /// The signal came before the result: the upgrade goes on without swapctl.
    package var goesOn = false
    /// A sentence for the operator that is no part of the result.
    package var warning: String?

    package init(
        service: String, predecessor: GenerationReference, result: Result,
        serving: GenerationReference?
    ) {
        self.service = service
        self.predecessor = predecessor
        self.result = result
        self.serving = serving
    }

    package var isCommitted: Bool {
        if case .committed = result { return true }
        return false
    }

    /// Whether a service manager that stops the unit has ended the wait of one of the unit's commands.
    ///
    /// The exit status must then be 0: systemd takes any other status of `ExecReload=` for a failure of the unit.
    private var isToldToLeave: Bool {
        // Set for the commands of a unit, and for nobody else.
        interruption == Signals.terminate && ProcessEnvironment.value("MAINPID") != nil
    }

    package var exitCode: ExitCode {
        if isToldToLeave, goesOn || isCalledOffForManager { return .done }
        if goesOn { return .unchanged }
        guard isCommitted else { return isInDoubt ? .unknown : .unchanged }
        return drain?.isClean ?? true ? .done : .cut
    }

    /// The manager's own stop has called the upgrade off.
    private var isCalledOffForManager: Bool {
        guard case .unchanged(let failure) = result else { return false }
        return failure.code == "operator"
    }

    /// The last line: who serves now.
    package var sentence: String {
        if goesOn {
            return "\(service): the upgrade goes on in \(predecessor), without swapctl: "
                + "'swapctl status \(service)' shows it, 'swapctl abort \(service)' calls it off"
        }
        switch result {
        case .unchanged(let failure) where failure.code == UpgradeFailure.restarted:
            let who = serving.map { "\($0)" } ?? "another process"
            return
                "\(service): failed, \(who) was started in the place of \(predecessor) and is serving"
        case .unchanged(let failure) where interruption != nil && failure.code == "operator":
            return serving.map {
                "\(service): the upgrade was called off, \($0) is serving or leaves"
            }
                ?? ServingState.unknown.sentence(service)
        case .unchanged:
            return serving.map { "\(service): unchanged, \($0) is serving" }
                ?? ServingState.unknown.sentence(service)
        case .committed(let successor):
            return
                "\(service): \(successor) is serving; generation \(predecessor.generation) \(end)"
        }
    }

    private var end: String {
        if let drain { return drain.sentence }
        if isConnectionLost { return isPredecessorAlive ? "is still there" : "is gone" }
        guard let drainDeadline else { return "finishes its connections and leaves" }
        let within = DurationText.deadline(milliseconds: drainDeadline.wholeMilliseconds)
        return "leaves within \(within)"
    }
}
