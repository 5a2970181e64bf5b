// SPDX-License-Identifier: Apache-2.0

/// What strict clients have seen.
public struct ClientReport: Sendable, Hashable {
    /// Requests that were sent, the lost ones among them.
    public internal(set) var requests = 0
    /// The connections over which an answer came.
    public internal(set) var connections = 0
    /// Every request that was not answered as it should have been, in the order of time.
    public internal(set) var lost: [Loss] = []
}

extension ClientReport: CustomStringConvertible {
    /// One line of figures, and one for each of the first ten losses.
    public var description: String {
        let head = "\(requests) requests over \(connections) connections, \(lost.count) lost"
        return ([head] + lost.prefix(10).map { "\($0)" }).joined(separator: "\n")
    }
}

/// One request that was lost.
public struct Loss: Sendable, Hashable {
    /// What happened to the request, as the client sees it; minor versions may add kinds.
    public struct Kind: RawRepresentable, Sendable, Hashable {
        /// The name of the kind.
        public let rawValue: String

        /// Makes a kind from its name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// Nobody listened.
        public static let refused = Kind(rawValue: "refused")
        /// The connection was reset.
        public static let reset = Kind(rawValue: "reset")
        /// The connection ended before or inside the answer.
        public static let truncated = Kind(rawValue: "truncated")
        /// A connection that had been used before ended without an answer, which the server had not announced.
        public static let keepAliveClosed = Kind(rawValue: "keepalive-closed")
        /// The answer did not come in time.
        public static let timedOut = Kind(rawValue: "timed-out")
        /// The answer was not the right one.
        public static let wrongAnswer = Kind(rawValue: "wrong-answer")
        /// A system call of the client failed.
        public static let system = Kind(rawValue: "system")
    }

    /// What happened to the request.
    public let kind: Kind
    /// The failed call or the wrong answer; text of the server in it is not safe for a terminal.
    public let message: String
    /// The time from the start of the clients to the moment at which the loss was noticed.
    public let time: Duration
    /// The phase of the upgrade at that moment, as far as the server had reported it; nil: no upgrade was in progress.
    public let phase: UpgradePhase?
    /// The number of the client, from 0 on.
    public let client: Int
}

extension Loss: CustomStringConvertible {
    /// `1.25 s, commit: refused: connect: Connection refused`.
    public var description: String {
        "\(time), \(phase?.rawValue ?? "no upgrade"): \(kind.rawValue): \(message)"
    }
}

/// What went wrong with one request.
struct ClientFailure: Error {
    var kind: Loss.Kind
    var message: String

    init(_ kind: Loss.Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}
