// SPDX-License-Identifier: Apache-2.0

extension Wire {
    /// An operator's question what a generation is doing.
    package struct StatusRequest: KeylessMessage {
        package static let kind = Message.Kind.status

        package init() {}
    }

    /// The answer to ``StatusRequest``.
    package struct Status: Sendable, Hashable {
        /// One of the oldest connections.
        package struct Connection: Sendable, Hashable {
            package var age: Duration
            /// `tcp`, `unix` or what the application says.
            package var proto: String
            /// `-`: not known.
            package var peer: String

            package init(age: Duration, proto: String, peer: String) {
                self.age = age
                self.proto = proto
                self.peer = peer
            }
        }

        /// An upgrade that runs.
        package struct Upgrade: Sendable, Hashable {
            /// 0: not started yet.
            package var successor: Int32
            package var elapsed: Duration
            /// The operator, 0 if that is a process the server cannot see; nil: a signal or the
            /// application asked.
            package var requestedBy: Int32?

            package init(successor: Int32, elapsed: Duration, requestedBy: Int32?) {
                self.successor = successor
                self.elapsed = elapsed
                self.requestedBy = requestedBy
            }
        }

        /// The unit of a service manager.
        package struct Unit: Sendable, Hashable {
            package var name: String
            /// Whether the manager is a user's, and not the system's.
            package var isOfUser: Bool

            package init(name: String, isOfUser: Bool) {
                self.name = name
                self.isOfUser = isOfUser
            }
        }

        /// Empty: it does not say.
        package var service = ""
        package var generation: Int
        package var processID: Int32
        /// Nil: it does not say.
        package var state: StateWord?
        /// How long it has been in this state.
        package var stateTime = Duration.zero
        package var uptime = Duration.zero
        /// CLOCK_MONOTONIC, in nanoseconds; nil: it does not say.
        package var began: Int?
        /// Empty: it does not say.
        package var executable = ""
        /// The file to which that path led then; nil: not known.
        package var running: String?
        package var connections = 0
        /// Nil: it does not drain.
        package var remaining: Duration?
        /// Nil: none runs.
        package var upgrade: Upgrade?
        package var oldest: [Connection] = []
        /// Nil: any number.
        package var maximumGenerations: Int?
        /// Nil: no service manager runs it.
        package var unit: Unit?
        /// Nil: its manager has no watchdog.
        package var watchdog: Duration?
        /// Descriptors that its manager keeps, and may keep.
        package var stored: Int?
        package var storedMaximum: Int?
        /// All there are; `listeners` are as many as fit in a packet.
        package var listenerCount = 0
        package var listeners: [ManifestEntry] = []

        package init(generation: Int, processID: Int32, state: StateWord?) {
            self.generation = generation
            self.processID = processID
            self.state = state
        }
    }
}

extension Wire.Status: WireMessage {
    package static let kind = Message.Kind.status

    /// Throws where it does not even say which generation it is of.
    package init(keysOf message: Message) throws(WireError) {
        self.init(
            generation: try message.required(.generation, of: Self.kind),
            processID: Int32(clamping: try message.required(.processID, of: Self.kind)),
            state: message.word(.state))
        service = message.text(.service) ?? ""
        stateTime = message.duration(.stateTime) ?? .zero
        uptime = message.duration(.uptime) ?? .zero
        began = message.number(.began)
        executable = message.text(.executable) ?? ""
        running = message.text(.running)
        connections = message.number(.connections) ?? 0
        remaining = message.duration(.remaining)
        upgrade = message.number(.upgrade).map { successor in
            Upgrade(
                successor: Int32(clamping: successor),
                elapsed: message.duration(.upgradeTime) ?? .zero,
                requestedBy: message.processID(.upgradeBy))
        }
        oldest = message.fieldLists(.oldest).compactMap(Connection.init(fields:))
        maximumGenerations = message.number(.maximumGenerations)
        unit = message.text(.unit).map { name in
            Unit(name: name, isOfUser: message.text(.unitScope) == Unit.user)
        }
        watchdog = message.duration(.watchdog)
        stored = message.number(.stored)
        storedMaximum = message.number(.storedMaximum)
        listeners = message.fieldLists(.listener).compactMap(ManifestEntry.init(fields:))
        listenerCount = max(message.number(.listeners) ?? 0, listeners.count)
    }

    package func addKeys(to message: inout Message) {
        if !service.isEmpty { message.add(.service, service) }
        message.add(.generation, generation)
        message.add(.processID, Int(processID))
        if let state { message.add(.state, state) }
        message.add(.stateTime, stateTime)
        message.add(.uptime, uptime)
        if let began { message.add(.began, began) }
        if !executable.isEmpty { message.add(.executable, executable) }
        if let running { message.add(.running, running) }
        message.add(.connections, connections)
        if let remaining { message.add(.remaining, remaining) }
        if let upgrade {
            message.add(.upgrade, Int(upgrade.successor))
            message.add(.upgradeTime, upgrade.elapsed)
            if let by = upgrade.requestedBy { message.add(.upgradeBy, Int(by)) }
        }
        for connection in oldest { message.addFields(.oldest, connection.fields) }
        if let maximumGenerations { message.add(.maximumGenerations, maximumGenerations) }
        if let unit {
            message.add(.unit, unit.name)
            message.add(.unitScope, unit.isOfUser ? Unit.user : Unit.system)
        }
        if let watchdog { message.add(.watchdog, watchdog) }
        if let stored { message.add(.stored, stored) }
        if let storedMaximum { message.add(.storedMaximum, storedMaximum) }
        message.add(.listeners, listenerCount)
        addListeners(to: &message)
    }

    /// As many as fit in a packet; the count has been said.
    private func addListeners(to message: inout Message) {
        var room = Message.maximumPacketSize - message.encoded().count - 1_024
        for entry in listeners {
            let fields = entry.fields
            // Every byte may become three.
            room -= 16 + 3 * fields.reduce(0) { $0 + $1.utf8.count }
            if room < 0 { return }
            message.addFields(.listener, fields)
        }
    }
}

extension Wire.Status.Unit {
    fileprivate static let user = "user"
    fileprivate static let system = "system"
}

extension Wire.Status.Connection {
    fileprivate init?(fields: [String]) {
        guard fields.count >= 3,
            let age = WireNumber.parse(fields[0], in: NumericKey.connectionAge.range)
        else { return nil }
        self.init(
            age: .microseconds(age), proto: fields[1], peer: fields[2].isEmpty ? "-" : fields[2])
    }

    fileprivate var fields: [String] {
        [
            String(NumericKey.connectionAge.clamped(age)), proto, peer.isEmpty ? "-" : peer,
        ]
    }
}
