// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionTransport

extension JSONValue {
    /// One object for each generation, newest first.
    package static func status(_ report: StatusReport) -> [JSONValue] {
        report.entries.map { entry in
            var fields: [String: JSONValue] = [
                "event": "status", "service": .string(report.service.name),
                "runtime_directory": .string(report.service.directory.path),
                "generation": .integer(entry.generation),
            ]
            switch entry.answer {
            case .living(let status):
                fields.merge(describe(status)) { $1 }
            case .stale:
                fields["state"] = "stale"
            case .silent(let processID, let error):
                fields["state"] = "silent"
                fields["pid"] = .optional(processID)
                fields["reason"] = .string(error.message)
            }
            return .object(fields)
        }
    }

    private static func describe(_ status: GenerationStatus) -> [String: JSONValue] {
        var fields: [String: JSONValue] = [
            "generation": .integer(status.generation), "pid": .integer(status.processID),
            "peer_pid": .optional(status.visibleProcessID),
            "generations_max": .optional(status.maximumGenerations),
            "state": .string(status.state.rawValue), "state_us": .integer(status.stateMicroseconds),
            "uptime_us": .integer(status.uptimeMicroseconds),
            "executable": .string(status.executable), "running": .optional(status.running),
            "release": .optional(status.release), "connections": .integer(status.connections),
            "remaining_ms": .optional(status.remainingMilliseconds),
            "upgrade": status.upgrade.map(describe) ?? .null,
            "listener_count": .integer(status.listenerCount),
            "listeners": .array(status.listeners.map(describe)),
            "oldest": .array(status.oldest.map(describe)), "unit": .optional(status.unit?.name),
            "watchdog_us": .optional(status.watchdogMicroseconds),
            "stored": .optional(status.stored), "stored_max": .optional(status.storedMaximum),
        ]
        if !status.service.isEmpty { fields["service"] = .string(status.service) }
        return fields
    }

    private static func describe(_ upgrade: GenerationStatus.RunningUpgrade) -> JSONValue {
        [
            "successor": .integer(upgrade.successor),
            "elapsed_us": .integer(upgrade.elapsedMicroseconds),
            "requested_by": .optional(upgrade.requestedBy),
        ]
    }

    private static func describe(_ entry: ManifestEntry) -> JSONValue {
        [
            "name": .string(entry.name), "address": .string(entry.what),
            "origin": .string(entry.origin.rawValue), "backlog": .integer(entry.backlog),
        ]
    }

    private static func describe(_ connection: GenerationStatus.Connection) -> JSONValue {
        [
            "age_us": .integer(connection.ageMicroseconds), "protocol": .string(connection.proto),
            "peer": .string(connection.peer),
        ]
    }
}
