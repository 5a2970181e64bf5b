// SPDX-License-Identifier: Apache-2.0

/// How an upgrade ended.
package struct UpgradeOutcome: Sendable, Hashable {
    package enum Result: Sendable, Hashable {
        case committed(Serving)
        case unchanged(UpgradeFailure)
    }

    package let service: String
    package let predecessor: Serving
    package var result: Result
    /// Nil if the server did not say.
    package var serving: Serving?
    /// From the request to the result.
    package var elapsedMicroseconds = 0
    /// What was asked for; nil: the server's own.
    package var drainDeadline: Duration?
    /// Nil if nobody waited for it.
    package var departure: Departure?
    /// The connection ended before the result came, and what is told here was found out afterwards.
    package var isConnectionLost = false
    /// Only looked at where the connection was lost.
    package var isPredecessorAlive = false
    /// Which program serves now cannot be told.
    package var isInDoubt = false
    /// Listeners that the new generation did not take, and that are closed: name and address.
    package var untaken: [String] = []
    /// A sentence for the operator that is no part of the result.
    package var warning: String?

    package init(service: String, predecessor: Serving, result: Result, serving: Serving?) {
        self.service = service
        self.predecessor = predecessor
        self.result = result
        self.serving = serving
    }

    package var isCommitted: Bool {
        if case .committed = result { return true }
        return false
    }

    package var exitCode: ExitCode {
        guard isCommitted else { return isInDoubt ? .unknown : .unchanged }
        return departure?.isClean ?? true ? .done : .cut
    }

    /// The last line: who serves now.
    package var sentence: String {
        switch result {
        case .unchanged(let failure) where failure.code == UpgradeFailure.restarted:
            let who = serving.map { "\($0)" } ?? "another process"
            return
                "\(service): failed, \(who) was started in the place of \(predecessor) and is serving"
        case .unchanged:
            return serving.map { "\(service): unchanged, \($0) is serving" }
                ?? WhoServes.unknown.sentence(service)
        case .committed(let successor):
            return
                "\(service): \(successor) is serving; generation \(predecessor.generation) \(end)"
        }
    }

    private var end: String {
        if let departure { return departure.sentence }
        if isConnectionLost { return isPredecessorAlive ? "is still there" : "is gone" }
        guard let drainDeadline else { return "finishes its connections and leaves" }
        let within = DurationText.deadline(milliseconds: drainDeadline.wholeMilliseconds)
        return "leaves within \(within)"
    }
}
