// SPDX-License-Identifier: Apache-2.0

package import SuccessionProtocol

/// The status that one generation reports of itself (docs/protocol.md §4).
package struct GenerationStatus: Sendable, Hashable {
    /// An open connection; a status names the oldest ones.
    package struct Connection: Sendable, Hashable {
        package var ageMicroseconds: Int
        package var proto: String
        package var peer: String
    }

    /// An upgrade in progress.
    package struct RunningUpgrade: Sendable, Hashable {
        /// The pid of the successor, as the generation sees it; 0: it is not started yet.
        package var successor: Int
        package var elapsedMicroseconds: Int
        /// The pid of the operator; nil: a signal asked for the upgrade.
        package var requestedBy: Int?
    }

    /// The process that answered, as the kernel reports it.
    package enum Peer: Sendable, Hashable {
        /// The answer did not come over a socket, so the kernel was not asked.
        case unasked
        /// It runs in a pid namespace that this process cannot see.
        case elsewhere
        case process(Int)
    }

    package var service: String
    package var generation: Int
    /// As the generation reports it: the pid in its own namespace.
    package var processID: Int
    package var peer = Peer.unasked
    package var state: StateWord
    package var stateMicroseconds: Int
    package var uptimeMicroseconds: Int
    /// When the process began, in monotonic nanoseconds; nil: an earlier version, which does not report it.
    package var beganAt: Int?
    /// The path by which the program was started.
    package var executable: String
    /// The file that runs, with the links resolved when it began; nil: an earlier version, which does not report it.
    package var running: String?
    package var connections: Int
    /// The time until the deadline of the drain; nil: the generation does not drain.
    package var remainingMilliseconds: Int?
    package var upgrade: RunningUpgrade?
    /// The number of all listeners; `listeners` holds as many as fit in a packet.
    package var listenerCount: Int
    package var listeners: [ManifestEntry]
    package var oldest: [Connection]
    /// The unit in which a service manager runs the generation; nil: none does.
    package var unit: UnitReference?
    /// The time without a ping after which the manager ends the generation.
    package var watchdogMicroseconds: Int?
    /// The descriptors that the generation has stored with its manager, and how many it may store.
    package var stored: Int?
    package var storedMaximum: Int?
    /// How many generations may live at once; nil: no limit, or an earlier version.
    package var maximumGenerations: Int?

    package init(_ status: Wire.Status) {
        generation = status.generation
        processID = Int(status.processID)
        service = status.service
        state = status.state ?? StateWord(rawValue: "unknown")
        stateMicroseconds = status.stateTime.wholeMicroseconds
        uptimeMicroseconds = status.uptime.wholeMicroseconds
        beganAt = status.began
        executable = status.executable
        running = status.running
        connections = status.connections
        remainingMilliseconds = status.remaining?.wholeMilliseconds
        upgrade = status.upgrade.map { upgrade in
            RunningUpgrade(
                successor: Int(upgrade.successor),
                elapsedMicroseconds: upgrade.elapsed.wholeMicroseconds,
                requestedBy: upgrade.requestedBy.map { Int($0) })
        }
        listeners = status.listeners
        listenerCount = status.listenerCount
        oldest = status.oldest.map { connection in
            Connection(
                ageMicroseconds: connection.age.wholeMicroseconds, proto: connection.proto,
                peer: connection.peer)
        }
        unit = status.unit.map { UnitReference(name: $0.name, isOfUser: $0.isOfUser) }
        watchdogMicroseconds = status.watchdog?.wholeMicroseconds
        stored = status.stored
        storedMaximum = status.storedMaximum
        maximumGenerations = status.maximumGenerations
    }

    package var isStarting: Bool { state == .starting }
    package var isServing: Bool { state == .serving }
    package var isDraining: Bool { state == .draining }

    /// The pid in the pid namespace of this process; nil where this process cannot see it.
    package var visibleProcessID: Int? {
        switch peer {
        case .unasked: processID
        case .elsewhere: nil
        case .process(let pid): pid
        }
    }

    /// The name of the release that runs: the path component below a directory `release`.
    package var release: String? {
        let names = (running ?? executable).split(separator: "/")
        guard let index = names.lastIndex(of: "release"), index + 1 < names.endIndex else {
            return nil
        }
        return String(names[index + 1])
    }

    /// The generation and its pid in the pid namespace of this process.
    package var serving: GenerationReference {
        GenerationReference(generation: generation, processID: visibleProcessID)
    }
}
