// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem

/// What a generation says of itself (docs/protocol.md §4).
struct StatusReply {
    var service: String
    var generation: Int
    var state: GenerationState
    var stateSince: UInt64
    var bornAt: UInt64
    var executable: String
    var running: String
    var connections: Int
    var remaining: Duration?
    var upgrade: (successor: Int32, since: UInt64, by: Int32?)?
    var listeners: [ManifestEntry]
    var oldest: [ConnectionRegistry.Record]
    var supervision: Supervision?
    var store: DescriptorStore?

    @ControlThread
    func message() -> Message {
        let now = Syscall.monotonicNanoseconds()
        func microseconds(since: UInt64) -> Int { Int((now &- since) / 1_000) }
        var message = Message(.status)
        message.add("SERVICE", service)
        message.add("GENERATION", generation)
        message.add("PID", Int(ProcessEnvironment.processID))
        message.add("STATE", state.word)
        message.add("STATE_US", microseconds(since: stateSince))
        message.add("UPTIME_US", microseconds(since: bornAt))
        message.add("BEGAN_NS", Int(clamping: bornAt))
        message.add("EXECUTABLE", executable)
        if !running.isEmpty { message.add("RUNNING", running) }
        message.add("CONNECTIONS", connections)
        if let remaining { message.add("REMAINING_MS", remaining.millisecondsClamped) }
        if let upgrade {
            message.add("UPGRADE", Int(upgrade.successor))
            message.add("UPGRADE_US", microseconds(since: upgrade.since))
            if let by = upgrade.by { message.add("UPGRADE_BY", Int(by)) }
        }
        for record in oldest {
            message.addFields(
                "OLDEST",
                [
                    "\(microseconds(since: record.since))", record.proto,
                    record.peer.isEmpty ? "-" : record.peer,
                ])
        }
        addSupervision(to: &message)
        message.add("LISTENERS", listeners.count)
        addListeners(to: &message)
        return message
    }

    @ControlThread
    private func addSupervision(to message: inout Message) {
        guard let supervision else { return }
        if let unit = supervision.unit {
            message.add("UNIT", unit.name)
            message.add("UNIT_SCOPE", unit.isOfUser ? "user" : "system")
        }
        if let interval = supervision.watchdogInterval {
            message.add("WATCHDOG_US", interval.microsecondsClamped)
        }
        if let store {
            message.add("STORED", store.count)
            message.add("STORED_MAX", store.limit)
        }
    }

    /// As many as fit in a packet; the count has been said.
    private func addListeners(to message: inout Message) {
        var room = Message.maximumPacketSize - message.encoded().count - 1_024
        for entry in listeners {
            let fields = entry.fields
            // Every byte may become three.
            room -= 16 + 3 * fields.reduce(0) { $0 + $1.utf8.count }
            if room < 0 { return }
            message.addFields("LISTENER", fields)
        }
    }
}
