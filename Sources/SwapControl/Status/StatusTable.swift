// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionTransport

/// Formats a status report for people.
package enum StatusTable {
    /// The lines for one service: its generations, their listeners, and the connections that keep a draining one alive.
    ///
    /// `isOneOfMany` adds a first line with the name of the service and its directory.
    package static func lines(_ report: StatusReport, isOneOfMany: Bool = false) -> [String] {
        var lines = generations(report.entries)
        if isOneOfMany {
            let path = report.service.directory.path.terminalSafe
            lines.insert("\(name(report))  \(path)", at: 0)
        }
        if let listening = report.serving ?? report.living.first {
            lines += listeners(listening)
        }
        lines += programs(report.living)
        lines += report.living.flatMap(upgrade)
        lines += report.living.filter(\.isDraining).flatMap(leftOver)
        return lines
    }

    /// The name that was given, else the one that the service reports.
    private static func name(_ report: StatusReport) -> String {
        let own = report.living.first.map(\.service) ?? ""
        return report.service.isNamed || own.isEmpty
            ? report.service.name.terminalSafe : own.terminalSafe
    }

    // MARK: - Generations

    private static func generations(_ entries: [StatusReport.Entry]) -> [String] {
        let heading = ["GEN", "PID", "STATE", "FOR", "CONNECTIONS", "UPTIME", ""]
        return TextTable.lines(
            [heading] + entries.map(row), [.right, .right, .left, .right, .right, .right, .left])
    }

    private static func row(_ entry: StatusReport.Entry) -> [String] {
        let number = "\(entry.generation)"
        switch entry.answer {
        case .living(let status):
            return [
                number, status.visibleProcessID.map { "\($0)" } ?? "-",
                status.state.rawValue.terminalSafe,
                DurationText.clock(microseconds: status.stateMicroseconds),
                "\(status.connections)",
                DurationText.clock(microseconds: status.uptimeMicroseconds),
                [remark(status), place(status)].filter { !$0.isEmpty }.joined(separator: "; "),
            ]
        case .stale:
            return [
                number, "-", "stale", "-", "-", "-",
                "nobody listens: it ended without cleaning up",
            ]
        case .silent(let processID, let error):
            let pid = processID.map { "\($0)" } ?? "-"
            return [number, pid, "silent", "-", "-", "-", error.message.terminalSafe]
        }
    }

    /// A remark on the pid, if the generation reports another one than the kernel does here.
    private static func place(_ status: GenerationStatus) -> String {
        switch status.peer {
        case .unasked: ""
        case .elsewhere: "pid \(status.processID) of another pid namespace"
        case .process(let pid):
            pid == status.processID ? "" : "pid \(status.processID) in its own pid namespace"
        }
    }

    private static func remark(_ status: GenerationStatus) -> String {
        guard let remaining = status.remainingMilliseconds else { return "" }
        return remaining > 0
            ? "leaves within \(DurationText.deadline(milliseconds: remaining))"
            : "should have left by now"
    }

    // MARK: - Below the generations

    private static func listeners(_ status: GenerationStatus) -> [String] {
        if status.listenerCount == 0 { return [] }
        let rows = status.listeners.map { entry in
            [
                "  " + (entry.name.isEmpty ? "-" : entry.name.terminalSafe),
                entry.what.terminalSafe,
                entry.origin == .unspecified ? "" : entry.origin.rawValue,
                entry.backlog > 0 ? "backlog \(entry.backlog)" : "",
            ]
        }
        let missing = status.listenerCount - status.listeners.count
        return [
            "", "\(counted(status.listenerCount, "listener")) of generation \(status.generation):",
        ]
            + TextTable.lines(rows, [.left, .left, .left, .left])
            + (missing > 0 ? ["  and \(missing) more"] : [])
    }

    /// The program of each generation: the file that runs, and the link by which it was started.
    private static func programs(_ living: [GenerationStatus]) -> [String] {
        let rows = living.compactMap { status -> [String]? in
            guard let file = status.running else { return nil }
            let release = status.release.map { "release \($0)" } ?? ""
            let link = file == status.executable ? "" : "by \(status.executable)"
            return [
                "  \(status.generation)", release.terminalSafe, file.terminalSafe,
                link.terminalSafe,
            ]
        }
        return rows.isEmpty
            ? [] : ["", "generations run:"] + TextTable.lines(rows, [.right, .left, .left, .left])
    }

    private static func upgrade(_ status: GenerationStatus) -> [String] {
        guard let upgrade = status.upgrade else { return [] }
        let by = upgrade.requestedBy.map { "pid \($0)" } ?? "a signal"
        let elapsed = DurationText.seconds(microseconds: upgrade.elapsedMicroseconds)
        let successor =
            upgrade.successor > 0
            ? "pid \(upgrade.successor) was started \(elapsed) ago, asked for by \(by)"
            : "asked for \(elapsed) ago by \(by), and the successor is not started yet"
        return ["", "an upgrade is running: \(successor)"]
    }

    /// The oldest connections: why a draining generation has not left.
    private static func leftOver(_ status: GenerationStatus) -> [String] {
        if status.connections == 0 || status.oldest.isEmpty { return [] }
        let rows = status.oldest.map { connection in
            [
                "  " + DurationText.clock(microseconds: connection.ageMicroseconds),
                connection.proto.terminalSafe, connection.peer.terminalSafe,
            ]
        }
        let missing = status.connections - status.oldest.count
        let count = counted(status.connections, "connection")
        return ["", "generation \(status.generation) still has \(count), the oldest first:"]
            + TextTable.lines(rows, [.right, .left, .left])
            + (missing > 0 ? ["  and \(missing) more"] : [])
    }
}
