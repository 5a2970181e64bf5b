// SPDX-License-Identifier: Apache-2.0

package import SuccessionProtocol

/// What one generation says of itself (docs/protocol.md §4).
package struct GenerationStatus: Sendable, Hashable {
    /// One of the oldest connections.
    package struct Connection: Sendable, Hashable {
        package var ageMicroseconds: Int
        package var proto: String
        package var peer: String
    }

    /// An upgrade under way.
    package struct RunningUpgrade: Sendable, Hashable {
        package var successor: Int
        package var elapsedMicroseconds: Int
        /// Pid of the operator; nil if a signal asked.
        package var requestedBy: Int?
    }

    /// The process that answered, as the kernel tells it.
    package enum Peer: Sendable, Hashable {
        /// Nobody has asked the kernel: the answer did not come over a socket.
        case unasked
        /// It is in a pid namespace that cannot be seen from here.
        case elsewhere
        case process(Int)
    }

    package var service: String
    package var generation: Int
    /// As the generation itself says; in a pid namespace of its own it is another process here.
    package var processID: Int
    package var peer = Peer.unasked
    /// `starting`, `serving`, `standby`, `draining`, or a word of a later version.
    package var state: String
    package var stateMicroseconds: Int
    package var uptimeMicroseconds: Int
    /// Monotonic nanoseconds; nil: an earlier version, which does not say.
    package var beganAt: Int?
    package var executable: String
    /// The file that really runs, with links followed when it began; nil: an earlier version, which
    /// does not say.
    package var running: String?
    package var connections: Int
    /// Until the deadline of its drain.
    package var remainingMilliseconds: Int?
    package var upgrade: RunningUpgrade?
    /// All there are; `listeners` holds as many as fit in a packet.
    package var listenerCount: Int
    package var listeners: [ManifestEntry]
    package var oldest: [Connection]
    /// Where a service manager runs it: the unit, as the generation itself sees it.
    package var unit: UnitReference?
    /// After how long without a ping its manager ends it.
    package var watchdogMicroseconds: Int?
    /// How many descriptors it has stored with its manager, and may store.
    package var stored: Int?
    package var storedMaximum: Int?
    /// How many generations may live at once; nil: any number, or an earlier version.
    package var maximumGenerations: Int?

    /// Reads an answer; nil if it does not even say which generation it is of.
    ///
    /// A number outside of its range counts as absent.
    package init?(_ message: Message) {
        guard message.kind == .status, let generation = message.number(.generation),
            let processID = message.number(.processID)
        else { return nil }
        self.generation = generation
        self.processID = processID
        service = message.text("SERVICE") ?? ""
        state = message.text("STATE") ?? "unknown"
        stateMicroseconds = message.number(.stateTime) ?? 0
        uptimeMicroseconds = message.number(.uptime) ?? 0
        beganAt = message.number(.began)
        executable = message.text("EXECUTABLE") ?? ""
        running = message.text("RUNNING")
        connections = message.number(.connections) ?? 0
        remainingMilliseconds = message.number(.remaining)
        upgrade = message.number(.upgrade).map { successor in
            RunningUpgrade(
                successor: successor, elapsedMicroseconds: message.number(.upgradeTime) ?? 0,
                requestedBy: message.number(.upgradeBy))
        }
        listeners = message.fieldLists("LISTENER").compactMap { ManifestEntry(fields: $0) }
        listenerCount = max(message.number(.listeners) ?? 0, listeners.count)
        oldest = message.fieldLists("OLDEST").compactMap { fields in
            guard fields.count >= 3,
                let age = WireNumber.parse(fields[0], in: NumericKey.connectionAge.range)
            else { return nil }
            return Connection(ageMicroseconds: age, proto: fields[1], peer: fields[2])
        }
        unit = message.text("UNIT").map { name in
            UnitReference(name: name, isOfUser: message.text("UNIT_SCOPE") == "user")
        }
        watchdogMicroseconds = message.number(.watchdog)
        stored = message.number(.stored)
        storedMaximum = message.number(.storedMaximum)
        maximumGenerations = message.number(.maximumGenerations)
    }

    /// The pid of the process here, as the kernel tells it, or as it says itself if nobody has asked
    /// the kernel; nil: it cannot be seen from here.
    package var visibleProcessID: Int? {
        switch peer {
        case .unasked: processID
        case .elsewhere: nil
        case .process(let pid): pid
        }
    }

    /// The release it runs, where its file lies below a directory `release`.
    package var release: String? {
        let names = (running ?? executable).split(separator: "/")
        guard let index = names.lastIndex(of: "release"), index + 1 < names.endIndex else {
            return nil
        }
        return String(names[index + 1])
    }

    package var serving: GenerationReference {
        GenerationReference(generation: generation, processID: visibleProcessID)
    }
}
