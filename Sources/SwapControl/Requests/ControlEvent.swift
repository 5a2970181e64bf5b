// SPDX-License-Identifier: Apache-2.0

package import SuccessionProtocol

/// What happens while a request is carried out.
package enum ControlEvent: Sendable {
    /// The request for an upgrade was sent to this generation.
    case asked(GenerationStatus)
    case step(UpgradeStep)
    case committed(GenerationReference)
    case failed(UpgradeFailure)
    case draining(DrainProgress)
    /// The generation has drained; `cut` connections were closed at its deadline.
    case drained(generation: Int, cut: Int)
    /// The process has ended.
    case left(generation: Int)
    /// Nothing has happened; only with ``ProgressMode/live``.
    case waiting
}

/// The state of one step of an upgrade: `start`, `handover`, `ready` and so on.
public struct UpgradeStep: Sendable, Hashable {
    /// Whether the step runs, or how it ended.
    public enum Status: String, Sendable {
        case running, ok, failed
    }

    /// The name of the step.
    public package(set) var name: String
    /// Whether the step runs, or how it ended.
    public package(set) var status: Status
    package var elapsedMicroseconds: Int
    /// What the step works on; may be empty, and is not safe for a terminal.
    public package(set) var detail: String

    /// The time since the step began.
    public var elapsed: Duration { .microseconds(elapsedMicroseconds) }

    package init(name: String, status: Status, elapsedMicroseconds: Int, detail: String) {
        self.name = name
        self.status = status
        self.elapsedMicroseconds = elapsedMicroseconds
        self.detail = detail
    }

    /// Nil: the step has a status that only a later version knows.
    package init?(_ step: Wire.Step) {
        guard let status = Status(rawValue: step.status.rawValue) else { return nil }
        self.init(
            name: step.step.rawValue, status: status,
            elapsedMicroseconds: step.elapsed.wholeMicroseconds, detail: step.detail)
    }
}

/// Why an upgrade failed.
///
/// Text of the server or its successor: not safe for a terminal.
public struct UpgradeFailure: Sendable, Hashable {
    /// The cause, for programs.
    public package(set) var code: ControlError.Code
    /// The cause, as a sentence.
    public package(set) var reason: String
    /// The pid of the successor, as the server sees it; nil: none was started.
    public package(set) var successor: Int?
    /// The exit status of the successor; nil: it has not exited.
    public package(set) var exitStatus: Int?
    /// The signal that ended the successor; nil: none did.
    public package(set) var signal: Int?
    /// The last lines that the successor wrote to standard error.
    public package(set) var standardError: [String]

    package init(
        code: ControlError.Code, reason: String, successor: Int? = nil, exitStatus: Int? = nil,
        signal: Int? = nil, standardError: [String] = []
    ) {
        self.code = code
        self.reason = reason
        self.successor = successor
        self.exitStatus = exitStatus
        self.signal = signal
        self.standardError = standardError
    }

    package init(_ unchanged: Wire.UpgradeResult.Unchanged) {
        self.init(
            code: ControlError.Code(unchanged.failure.code), reason: unchanged.failure.reason,
            successor: unchanged.successor.map { Int($0) }, exitStatus: unchanged.exitStatus,
            signal: unchanged.signal, standardError: unchanged.standardError)
    }
}

/// The state of a drain.
package struct DrainProgress: Sendable, Hashable {
    package var generation: Int
    /// Connections that are still open.
    package var connections: Int
    /// The time until the open connections are cut.
    package var remainingMilliseconds: Int

    package init(generation: Int, connections: Int, remainingMilliseconds: Int) {
        self.generation = generation
        self.connections = connections
        self.remainingMilliseconds = remainingMilliseconds
    }

    package init(generation: Int, _ draining: Wire.Draining) {
        self.init(
            generation: generation, connections: draining.connections,
            remainingMilliseconds: draining.remaining.wholeMilliseconds)
    }
}
