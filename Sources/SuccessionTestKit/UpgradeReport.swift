// SPDX-License-Identifier: Apache-2.0

public import SwapControl

/// What became of an upgrade that a test asked for.
public struct UpgradeReport: Sendable, Hashable {
    /// The generation that served before.
    public let predecessor: GenerationReference
    /// The generation that serves after the upgrade; nil: nobody does.
    public let serving: GenerationReference?
    /// Why the successor did not take over; nil: it did.
    ///
    /// With the code ``SwapControl/ControlError/Code/connectionLost`` or `no-such-service` the predecessor had ended
    /// before it could report.
    public let failure: UpgradeFailure?
    /// The steps of the upgrade in order, as the server reported them: each when it began, and when it was done.
    public let steps: [UpgradeStep]
    /// How the predecessor drained; nil: the upgrade failed, or the predecessor ended before it could report.
    public let drain: DrainOutcome?
    /// The pid of the process that was killed; nil: none was to be killed, or the phase did not come.
    public let killed: Int?
    /// What the server and its successor have written so far to standard output and standard error.
    ///
    /// While the successor starts, its standard error goes to the predecessor: see ``failure``.
    public let output: String

    /// Whether the successor has taken over.
    public var isCommitted: Bool { failure == nil }
    /// Whether the successor has taken over, and the predecessor has left without cutting a connection.
    public var isClean: Bool { isCommitted && drain?.isClean == true }
}

extension UpgradeReport: CustomStringConvertible {
    /// What happened, in one line for each part.
    public var description: String {
        var lines: [String] = []
        if let failure {
            lines.append(
                "\(predecessor) was not succeeded: \(failure.code.rawValue): \(failure.reason)")
            lines += failure.standardError.map { "  \($0)" }
        } else {
            lines.append("\(predecessor) was succeeded")
        }
        if let killed { lines.append("pid \(killed) was killed") }
        if let drain, !drain.isClean {
            lines.append("the predecessor's drain: \(drain.end.rawValue), \(drain.cut ?? 0) cut")
        }
        lines.append(serving.map { "\($0) serves" } ?? "nobody serves")
        return lines.joined(separator: "\n")
    }
}
