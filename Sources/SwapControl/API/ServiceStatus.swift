// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

/// The generations of a service that have a control socket, newest first.
public struct ServiceStatus: Sendable, Hashable {
    /// Every generation, newest first.
    public let generations: [Generation]

    /// The generation that serves; nil: none does, which is so for a moment during a hand-over.
    public var serving: Generation? { generations.first { $0.state == .serving } }

    package init(_ report: StatusReport) {
        generations = report.entries.map(Generation.init)
    }
}

extension ServiceStatus {
    /// What a generation is doing.
    ///
    /// A server of a later version may report states that have no constant here.
    public struct State: RawRepresentable, Sendable, Hashable {
        /// The name of the state.
        public let rawValue: String

        /// Makes a state from its name.
        public init(rawValue: String) { self.rawValue = rawValue }

        init(_ word: StateWord) { self.init(rawValue: word.rawValue) }

        /// It builds its server, and nobody is served yet.
        public static let starting = State(.starting)
        /// It accepts connections.
        public static let serving = State(.serving)
        /// It is ready and waits for the commit.
        public static let standby = State(.standby)
        /// It finishes its connections and leaves.
        public static let draining = State(.draining)
        /// A process listens and does not answer.
        public static let silent = State(rawValue: "silent")
        /// The process ended without removing its control socket.
        public static let stale = State(rawValue: "stale")
    }

    /// One generation.
    ///
    /// Texts are the server's: not safe for a terminal.
    public struct Generation: Sendable, Hashable {
        /// The number of the generation, from 1 on.
        public let number: Int
        /// The pid in the pid namespace of this process; nil where it is not known.
        public let processID: Int?
        /// What the generation is doing.
        public let state: State
        /// Open connections; 0 for a generation that is silent or stale.
        public private(set) var connections = 0
        /// The time since the process began; nil for a generation that is silent or stale.
        public private(set) var uptime: Duration?
        /// The time until the generation cuts its connections; nil: it does not drain.
        public private(set) var remaining: Duration?
        /// The file that the process executes, with links resolved; nil where it is not known.
        public private(set) var executable: String?
        /// The path component below a directory `release` in the path of the program; nil: there is none.
        public private(set) var release: String?
        /// Whether the generation runs an upgrade, as its predecessor.
        public private(set) var isUpgrading = false
        /// The listeners, as many as fit in an answer.
        public private(set) var listeners: [Listener] = []

        init(_ entry: StatusReport.Entry) {
            number = entry.generation
            switch entry.answer {
            case .stale:
                processID = nil
                state = .stale
            case .silent(let pid, _):
                processID = pid
                state = .silent
            case .living(let status):
                processID = status.visibleProcessID
                state = State(status.state)
                connections = status.connections
                uptime = .microseconds(status.uptimeMicroseconds)
                remaining = status.remainingMilliseconds.map { .milliseconds($0) }
                executable = status.running ?? status.executable
                release = status.release
                isUpgrading = status.upgrade != nil
                listeners = status.listeners.map { Listener(name: $0.name, address: $0.what) }
            }
        }
    }

    /// A listener of a generation.
    public struct Listener: Sendable, Hashable {
        /// The name by which the server asks for it; may be empty.
        public let name: String
        /// `tcp:127.0.0.1:8080`, `unix:/run/web.sock`.
        public let address: String
    }
}
