// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// Starts a server that outlives whoever starts it.
struct ServerStart {
    let control: ServerControl
    let command: [String]

    /// Variables that speak of this process, or of the unit it is, and not of the server.
    private static let variablesOfThisProcess: Set<String> = [
        "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS",
        "LISTEN_FDNAMES", "LISTEN_PIDFDID", "MAINPID", "MAINPIDFDID", "SYSTEMD_EXEC_PID",
        "SUCCESSION_CHANNEL", "SUCCESSION_STDERR", ServerProcess.switchVariable,
    ]

    /// Returns when the server serves, or has ended, or had to be ended because it was not ready.
    ///
    /// It leads a session of its own and keeps nothing of this process's terminal; a child that ends
    /// later is to be reaped by the caller.
    func run(
        _ id: String, started: (ProcessHandle) -> Void
    ) throws(ControlError) -> ServerControl.Answer {
        // Whoever has no command does not come here.
        guard let program = command.first else { return .unchanged("no command was given", nil) }
        let log = try openLog()
        let logSize = (try? Syscall.status(of: log.rawValue))?.size ?? 0
        let process: ProcessHandle
        do {
            process = try spawn(program, id, log)
        } catch {
            return .unchanged("cannot start \(program): \(error)", nil)
        }
        started(process)
        return try awaitServing(process, program, logSize)
    }

    private func spawn(
        _ program: String, _ id: String, _ log: OwnedDescriptor
    ) throws(Errno) -> ProcessHandle {
        let null = try Syscall.open("/dev/null", .readOnly)
        var environment = ProcessEnvironment.snapshot().filter { entry in
            !Self.variablesOfThisProcess.contains(
                String(entry.prefix { $0 != "=" }))
        }
        environment.append("\(ServerProcess.switchVariable)=\(id)")
        defer { withExtendedLifetime((null, log)) {} }
        return try SpawnRequest(
            path: program, arguments: command, environment: environment,
            descriptors: [
                (source: null.rawValue, target: 0), (source: log.rawValue, target: 1),
                (source: log.rawValue, target: 2),
            ],
            newSession: true
        ).spawn()
    }

    private func openLog() throws(ControlError) -> OwnedDescriptor {
        if control.options.log == "-" {
            return try attempt("cannot duplicate standard error") { () throws(Errno) in
                try OwnedDescriptor.duplicating(2)
            }
        }
        return try attempt("cannot write \(logPath)") { () throws(Errno) in
            try Syscall.open(logPath, [.writeOnly, .create, .append], mode: 0o640)
        }
    }

    private var logPath: String {
        control.options.log ?? "\(control.site.stateDirectory)/\(control.service.name).log"
    }

    private func awaitServing(
        _ process: ProcessHandle, _ program: String, _ logSize: Int
    ) throws(ControlError) -> ServerControl.Answer {
        let limit = (control.options.readyTimeout ?? .seconds(60)).wholeMilliseconds
        let deadline = Syscall.monotonicNanoseconds() + UInt64(max(0, limit)) * 1_000_000
        var pause: CInt = 5
        while true {
            // Before the look: this process may have been stopped, and the server may serve by now.
            let isLastLook = Syscall.monotonicNanoseconds() >= deadline
            if let status = try? process.reap() {
                return .unchanged(
                    "\(program) (pid \(process.processID)) \(status)\(lastLines(logSize))", nil)
            }
            if let status = try? control.serving(), status.state == "serving" {
                if status.processID == Int(process.processID) { return .serves(status.serving) }
                return .unchanged(
                    "\(status.serving) of \(control.service.name) was started meanwhile",
                    status.serving)
            }
            if isLastLook { break }
            // Its end is an event; of its readiness, only its control socket tells.
            let pidfd = process.descriptor?.rawValue ?? -1
            _ = try? Syscall.poll(
                [(fd: pidfd, events: Syscall.pollIn)], timeoutMilliseconds: pause)
            pause = min(pause * 2, 100)
        }
        try? process.signal(Signals.kill)
        _ = process.waitForExit(deadline: Syscall.monotonicNanoseconds() + 5_000_000_000)
        _ = try? process.reap()
        let waited = DurationText.deadline(milliseconds: limit)
        return .unchanged(
            "\(program) (pid \(process.processID)) was not serving after \(waited), and was ended"
                + lastLines(logSize),
            nil)
    }

    /// What the server has written since it was started.
    private func lastLines(_ start: Int) -> String {
        guard control.options.log != "-", let file = try? Syscall.open(logPath, .readOnly),
            let size = try? Syscall.status(of: file.rawValue).size,
            let bytes = try? Syscall.readAt(
                file.rawValue, offset: max(start, size - 4_096), count: 4_096)
        else { return "" }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").suffix(2)
        return lines.isEmpty
            ? "" : ": " + lines.map { String($0).harmless }.joined(separator: " | ")
    }
}
