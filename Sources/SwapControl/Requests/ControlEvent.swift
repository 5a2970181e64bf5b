// SPDX-License-Identifier: Apache-2.0

package import SuccessionProtocol

/// What is heard while a request is carried out.
package enum ControlEvent: Sendable {
    /// The predecessor has been asked for an upgrade.
    case asked(GenerationStatus)
    case step(UpgradeStep)
    case committed(GenerationReference)
    case failed(UpgradeFailure)
    case draining(DrainProgress)
    case drained(generation: Int, cut: Int)
    /// The process is gone.
    case left(generation: Int)
    /// Nothing was heard for a while; only if the caller asked to be told.
    case waiting
}

/// One `step` of an upgrade.
package struct UpgradeStep: Sendable, Hashable {
    package enum Status: String, Sendable {
        case running, ok, failed
    }

    package var name: String
    package var status: Status
    package var elapsedMicroseconds: Int
    package var detail: String

    package init(name: String, status: Status, elapsedMicroseconds: Int, detail: String) {
        self.name = name
        self.status = status
        self.elapsedMicroseconds = elapsedMicroseconds
        self.detail = detail
    }

    /// Nil: a step without a name, or with a status that only a later version knows.
    package init?(_ message: Message) {
        guard let name = message.text("STEP"),
            let status = message.text("STATUS").flatMap(Status.init(rawValue:))
        else { return nil }
        self.init(
            name: name, status: status, elapsedMicroseconds: message.number(.elapsed) ?? 0,
            detail: message.text("DETAIL") ?? "")
    }
}

/// Why an upgrade failed.
package struct UpgradeFailure: Sendable, Hashable {
    /// The code of one in which the predecessor died and was started afresh.
    package static let restarted = "restarted"

    package var code: String
    package var reason: String
    /// Pid of the successor, if one was started.
    package var successor: Int?
    package var exitStatus: Int?
    package var signal: Int?
    /// The last lines the successor wrote to its standard error.
    package var standardError: [String]

    package init(
        code: String, reason: String, successor: Int? = nil, exitStatus: Int? = nil,
        signal: Int? = nil, standardError: [String] = []
    ) {
        self.code = code
        self.reason = reason
        self.successor = successor
        self.exitStatus = exitStatus
        self.signal = signal
        self.standardError = standardError
    }

    package init(_ message: Message) {
        let failure = Failure(message)
        self.init(
            code: failure.code.rawValue, reason: failure.reason,
            successor: message.number(.successor), exitStatus: message.number(.exit),
            signal: message.number(.signal), standardError: message.texts("STDERR"))
    }
}

/// How far a drain is.
package struct DrainProgress: Sendable, Hashable {
    package var generation: Int
    package var connections: Int
    /// Until the connections that are left are cut.
    package var remainingMilliseconds: Int

    package init(generation: Int, connections: Int, remainingMilliseconds: Int) {
        self.generation = generation
        self.connections = connections
        self.remainingMilliseconds = remainingMilliseconds
    }
}
