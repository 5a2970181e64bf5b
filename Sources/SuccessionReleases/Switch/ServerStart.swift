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
        let environment = ProcessEnvironment.snapshot().filter { entry in
            !Self.variablesOfThisProcess.contains(
                String(entry.prefix { $0 != "=" }))
        }
        defer { withExtendedLifetime((null, log)) {} }
        var request = SpawnRequest(
            path: program, arguments: command, environment: environment,
            descriptors: [
                (source: null.rawValue, target: 0), (source: log.rawValue, target: 1),
                (source: log.rawValue, target: 2),
            ],
            newSession: true)
        if control.site.rights.owner != nil {
            // Where swapctl looks, and not where that user's servers are by default.
            request.environment.removeAll { $0.hasPrefix(Self.runtimeDirectory + "=") }
            request.environment.append(
                "\(Self.runtimeDirectory)=\(control.service.runtimeDirectory)")
        }
        control.site.rights.apply(to: &request, in: control.site.root)
        // The operator's own words, whatever was left out of the environment of this process.
        request.environment += control.options.environment.filter { $0.contains("=") }
        request.environment.append("\(ServerProcess.switchVariable)=\(id)")
        return try request.spawn()
    }

    private static let runtimeDirectory = "SUCCESSION_RUNTIME_DIRECTORY"

    private func openLog() throws(ControlError) -> OwnedDescriptor {
        if control.options.log == "-" {
            return try attempt("cannot duplicate standard error") { () throws(Errno) in
                try OwnedDescriptor.duplicating(2)
            }
        }
        return try attempt("cannot write \(logPath)") { () throws(Errno) in
            let (directory, name) = try logPlace()
            let flags: OpenFlags = [.writeOnly, .create, .append]
            // The operator may name a pipe or a device.
            return control.options.log == nil
                ? try DurableFile.openRegular(directory, name, flags)
                : try directory.open(name, flags, mode: DurableFile.mode)
        }
    }

    private var logPath: String {
        control.options.log ?? control.site.stateDirectory + "/" + logName
    }

    private var logName: String { control.service.name + ".log" }

    /// The directory, and the name of the log in it, which is no link.
    private func logPlace() throws(Errno) -> (Directory, String) {
        guard let path = control.options.log else { return (try control.site.openState(), logName) }
        return (try Directory(Path.parent(path)), Path.name(path))
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
            // While it has its number, so has its group: what it has left behind ends with it.
            if !process.isAlive() { Syscall.signalGroup(process.processID, Signals.kill) }
            if let status = try? process.reap() {
                return .unchanged(
                    "\(program) (pid \(process.processID)) \(status)\(lastLines(logSize))", nil)
            }
            if let status = try? control.serving(), status.isServing {
                if status.visibleProcessID == Int(process.processID) {
                    return .serves(status.serving, leaving: nil, warning: nil)
                }
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
        // Whatever it has started is in its session.
        Syscall.signalGroup(process.processID, Signals.kill)
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
        guard control.options.log != "-", let (directory, name) = try? logPlace(),
            let file = try? DurableFile.openRegular(directory, name, .readOnly),
            let size = try? Syscall.status(of: file.rawValue).size,
            let bytes = try? Syscall.readAt(
                file.rawValue, offset: max(start, size - 4_096), count: 4_096)
        else { return "" }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").suffix(2)
        return lines.isEmpty
            ? "" : ": " + lines.map { String($0).terminalSafe }.joined(separator: " | ")
    }
}
