// SPDX-License-Identifier: Apache-2.0

package import SuccessionProtocol
import SuccessionSystem

/// How an upgrade ended: the successor serves, or the predecessor serves on.
public struct UpgradeOutcome: Sendable, Hashable {
    package enum Result: Sendable, Hashable {
        case committed(GenerationReference)
        case unchanged(UpgradeFailure)
    }

    /// The name of the service.
    public let service: String
    /// The generation that served when the upgrade was asked for.
    public let predecessor: GenerationReference
    package var result: Result
    /// The generation that serves after the upgrade; nil: the server did not report it.
    public package(set) var serving: GenerationReference?
    package var elapsedMicroseconds = 0
    /// The drain deadline that was asked for; nil: the server's own.
    package var drainDeadline: Duration?
    /// How the predecessor drained; nil: the upgrade failed, or nobody waited for the drain.
    public package(set) var drain: DrainOutcome?
    /// The connection to the predecessor ended before the result; the outcome was learnt from others.
    package var isConnectionLost = false
    package var isPredecessorAlive = false
    /// Whether the requested program serves is not known.
    package var isInDoubt = false
    /// The signal that ended the wait; nil: none did.
    package var interruption: Int32?
    /// The wait has ended, and the upgrade has not.
    package var goesOn = false
    /// A sentence about something that went wrong although the upgrade is committed; nil: nothing did.
    public package(set) var warning: String?
    /// The listeners that the successor did not take, each by name and address; they are closed.
    public package(set) var untaken: [String] = []

    package init(
        service: String, predecessor: GenerationReference, result: Result,
        serving: GenerationReference?
    ) {
        self.service = service
        self.predecessor = predecessor
        self.result = result
        self.serving = serving
    }

    /// Whether the successor serves.
    public var isCommitted: Bool { failure == nil }

    /// Why the upgrade failed; nil: it is committed.
    public var failure: UpgradeFailure? {
        if case .unchanged(let failure) = result { return failure }
        return nil
    }

    /// The time from the request to the result.
    public var elapsed: Duration { .microseconds(elapsedMicroseconds) }
}

// MARK: - Decoding

extension UpgradeOutcome {
    /// Reads the result that the predecessor sent.
    ///
    /// Throws `protocol` if it is neither `committed` nor `unchanged`.
    package init(
        _ result: Wire.UpgradeResult, service: String, predecessor: GenerationStatus
    ) throws(ControlError) {
        // The pids are those of the predecessor's pid namespace, where they may be other processes than here.
        let isSeen = predecessor.visibleProcessID == predecessor.processID
        let serving = result.generation.map { generation in
            GenerationReference(
                generation: generation,
                processID: generation == predecessor.generation
                    ? predecessor.visibleProcessID
                    : isSeen ? result.processID.map { Int($0) } : nil)
        }
        switch result.outcome {
        case .unchanged(let unchanged):
            self.init(
                service: service, predecessor: predecessor.serving,
                result: .unchanged(UpgradeFailure(unchanged)), serving: serving)
        case .committed(let left):
            guard let serving else {
                throw .protocolViolation("the result does not say who serves")
            }
            self.init(
                service: service, predecessor: predecessor.serving, result: .committed(serving),
                serving: serving)
            untaken = left.map(\.terminalSafe)
            if !untaken.isEmpty {
                warning = "\(serving) did not take \(untaken.joined(separator: ", ")): closed"
            }
        case .unknown(let word):
            throw .protocolViolation("the result of the upgrade is '\(word.terminalSafe)'")
        }
    }
}

// MARK: - For the operator

extension UpgradeOutcome {
    /// Whether a service manager that stops the unit has ended the wait of one of the unit's commands.
    ///
    /// The exit status must then be 0: systemd takes any other status of `ExecReload=` for a failure of the unit.
    private var isToldToLeave: Bool {
        // The manager sets MAINPID for the commands of a unit alone.
        interruption == Signals.terminate && ProcessEnvironment.value("MAINPID") != nil
    }

    package var exitCode: ExitCode {
        if isToldToLeave, goesOn || isCalledOff { return .done }
        if goesOn { return .unchanged }
        guard isCommitted else { return isInDoubt ? .unknown : .unchanged }
        return drain?.isClean ?? true ? .done : .cut
    }

    /// An `abort`, or the stop of the server, has called the upgrade off.
    private var isCalledOff: Bool { failure?.code == "operator" }

    /// One line for the operator: which generation serves, and what became of the predecessor.
    public var summary: String {
        if goesOn {
            return "\(service): the upgrade goes on in \(predecessor), without swapctl: "
                + "'swapctl status \(service)' shows it, 'swapctl abort \(service)' calls it off"
        }
        switch result {
        case .unchanged(let failure) where failure.code == .restarted:
            let who = serving.map { "\($0)" } ?? "another process"
            return
                "\(service): failed, \(who) was started in the place of \(predecessor) and is serving"
        case .unchanged where interruption != nil && isCalledOff:
            return serving.map {
                "\(service): the upgrade was called off, \($0) is serving or leaves"
            } ?? ServingState.unknown.sentence(service)
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
        if isConnectionLost { return isPredecessorAlive ? "still runs" : "is gone" }
        guard let drainDeadline else { return "finishes its connections and leaves" }
        let within = DurationText.deadline(milliseconds: drainDeadline.wholeMilliseconds)
        return "leaves within \(within)"
    }
}
