// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// Starts a server that outlives this process.
struct ServerStart {
    let control: ServerControl
    let command: [String]

    /// Variables about this process, or about its unit, which do not concern the server.
    private static let variablesOfThisProcess: Set<String> = [
        "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS",
        "LISTEN_FDNAMES", "LISTEN_PIDFDID", "MAINPID", "MAINPIDFDID", "SYSTEMD_EXEC_PID",
        "SUCCESSION_CHANNEL", "SUCCESSION_STDERR", ServerProcess.switchVariable,
    ]

    /// Returns when the server serves, has ended, or was killed because it was not ready in time.
    ///
    /// The server leads a session of its own, without the terminal of this process. The caller reaps it
    /// if it ends later.
    func run(
        _ id: String, started: (ProcessHandle) -> Void
    ) throws(ControlError) -> ServerControl.Answer {
        // The callers start a server only with a command.
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
        return try awaitServing(process, program, id, logSize)
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
            // The directory in which swapctl looks, not the default one of that user's servers.
            request.environment.removeAll { $0.hasPrefix(Self.runtimeDirectory + "=") }
            request.environment.append(
                "\(Self.runtimeDirectory)=\(control.service.runtimeDirectory)")
        }
        control.site.rights.apply(to: &request, in: control.site.root)
        // Last: the operator's changes win over what was filtered out above.
        request.environment += control.options.environment.filter { $0.contains("=") }
        request.environment.append("\(ServerProcess.switchVariable)=\(id)")
        return try request.spawn()
    }

    private static let runtimeDirectory = "SUCCESSION_RUNTIME_DIRECTORY"

    private func openLog() throws(ControlError) -> OwnedDescriptor {
        if control.options.log == "-" {
            // A program that has a terminal open can read what is typed there.
            if let owner = control.site.rights.ownerName, Syscall.isTerminal(2) {
                throw .wrongUsage(
                    "with --log - the server, which runs as \(owner), could read from this terminal; "
                        + "leave --log out, or give the path of a file")
            }
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

    /// The directory of the log, and its name in it.
    ///
    /// A name in `.succession` must not be a link.
    private func logPlace() throws(Errno) -> (Directory, String) {
        guard let path = control.options.log else { return (try control.site.openState(), logName) }
        return (try Directory(Path.parent(path)), Path.name(path))
    }

    private func awaitServing(
        _ process: ProcessHandle, _ program: String, _ id: String, _ logSize: Int
    ) throws(ControlError) -> ServerControl.Answer {
        let limit = (control.options.readyTimeout ?? .seconds(60)).wholeMilliseconds
        let deadline = Syscall.monotonicNanoseconds() + UInt64(max(0, limit)) * 1_000_000
        var pause: CInt = 5
        while true {
            // Before the check: this process may have been stopped, and the server may serve by now.
            let isLastCheck = Syscall.monotonicNanoseconds() >= deadline
            // Before the reap, while the pid is still the group's: what the server has started ends too.
            if !process.isAlive() { Syscall.signalGroup(process.processID, Signals.kill) }
            if let status = try? process.reap() {
                return .unchanged(
                    "\(program) (pid \(process.processID)) \(status)\(lastLines(logSize))", nil)
            }
            if let status = try? control.serving(), status.isServing {
                if isStarted(status, by: process, id) {
                    return .serves(status.serving, leaving: nil, warning: nil)
                }
                end(process)
                return .unchanged(
                    "\(status.serving) of \(control.service.name) was started meanwhile",
                    status.serving)
            }
            if isLastCheck { break }
            // The end of the server is an event; its readiness has to be asked for on the control socket.
            let pidfd = process.descriptor?.rawValue ?? -1
            _ = try? Syscall.poll(
                [(fd: pidfd, events: Syscall.pollIn)], timeoutMilliseconds: pause)
            pause = min(pause * 2, 100)
        }
        end(process)
        let waited = DurationText.deadline(milliseconds: limit)
        return .unchanged(
            "\(program) (pid \(process.processID)) did not serve within \(waited), and was killed"
                + lastLines(logSize),
            nil)
    }

    /// Whether the generation runs in this process, or was started by it: the command may be a wrapper
    /// or a supervisor, whose child is the server.
    private func isStarted(
        _ status: GenerationStatus, by process: ProcessHandle, _ id: String
    ) -> Bool {
        if status.visibleProcessID == Int(process.processID) { return true }
        return control.site.rights.asCaller {
            // From the kernel, if the server is in another pid namespace.
            let seen = status.visibleProcessID.map { Int32(clamping: $0) }
            guard
                let pid = seen
                    ?? (try? ControlClient(control.service).processID(
                        ofGeneration: status.generation))
            else { return false }
            if ServerProcess(pid)?.switchID == id { return true }
            return ServerProcess.descends(pid, from: process.processID)
        }
    }

    /// Kills a process and what it has started: that is in its session, and in its group.
    private func end(_ process: ProcessHandle) {
        Syscall.signalGroup(process.processID, Signals.kill)
        _ = process.waitForExit(deadline: Syscall.monotonicNanoseconds() + 5_000_000_000)
        _ = try? process.reap()
    }

    /// The last lines of the log since the start.
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
