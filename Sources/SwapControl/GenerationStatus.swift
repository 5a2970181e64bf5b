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
    package struct Upgrade: Sendable, Hashable {
        package var successor: Int
        package var elapsedMicroseconds: Int
        /// Pid of the operator; nil if a signal asked.
        package var requestedBy: Int?
    }

    package var service: String
    package var generation: Int
    package var processID: Int
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
    package var upgrade: Upgrade?
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

    /// Reads an answer; nil if it does not even say which generation it is of.
    package init?(_ message: Message) {
        guard message.kind == .status, let generation = message.integer("GENERATION"),
            let processID = message.integer("PID")
        else { return nil }
        self.generation = generation
        self.processID = processID
        service = message.text("SERVICE") ?? ""
        state = message.text("STATE") ?? "unknown"
        stateMicroseconds = message.integer("STATE_US") ?? 0
        uptimeMicroseconds = message.integer("UPTIME_US") ?? 0
        beganAt = message.integer("BEGAN_NS")
        executable = message.text("EXECUTABLE") ?? ""
        running = message.text("RUNNING")
        connections = message.integer("CONNECTIONS") ?? 0
        remainingMilliseconds = message.integer("REMAINING_MS")
        upgrade = message.integer("UPGRADE").map { successor in
            Upgrade(
                successor: successor, elapsedMicroseconds: message.integer("UPGRADE_US") ?? 0,
                requestedBy: message.integer("UPGRADE_BY"))
        }
        listeners = message.fieldLists("LISTENER").compactMap { ManifestEntry(fields: $0) }
        listenerCount = message.integer("LISTENERS") ?? listeners.count
        oldest = message.fieldLists("OLDEST").compactMap { fields in
            guard fields.count >= 3, let age = Int(fields[0]) else { return nil }
            return Connection(ageMicroseconds: age, proto: fields[1], peer: fields[2])
        }
        unit = message.text("UNIT").map { name in
            UnitReference(name: name, isOfUser: message.text("UNIT_SCOPE") == "user")
        }
        watchdogMicroseconds = message.integer("WATCHDOG_US")
        stored = message.integer("STORED")
        storedMaximum = message.integer("STORED_MAX")
    }

    /// The release it runs, where its file lies below a directory `release`.
    package var release: String? {
        let names = (running ?? executable).split(separator: "/")
        guard let index = names.lastIndex(of: "release"), index + 1 < names.endIndex else {
            return nil
        }
        return String(names[index + 1])
    }

    package var serving: Serving { Serving(generation: generation, processID: processID) }
}
