// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SuccessionTransport
import SystemPackage

/// Runs a server in the foreground through all its generations: for supervisors that watch one process, and as
/// process 1.
package struct Supervise: Sendable {
    private let service: Service
    private let command: SuccessorCommand
    private let pidFile: String?

    package init(_ service: Service, _ command: SuccessorCommand, pidFile: String? = nil) {
        self.service = service
        self.command = command
        self.pidFile = pidFile
    }

    /// Returns when no generation is left, with the exit status of the last one as a shell reports it.
    package func run() throws(ControlError) -> Int32 {
        // The directory is watched from the start. If it cannot be made, the server reports why.
        try? service.directory.prepare()
        var request = SpawnRequest(path: command.executable, arguments: command.arguments)
        // The server finds the directory by the same rules, unless the operator has named another one.
        if RuntimeDirectory.locate(service: service.name)?.path != service.runtimeDirectory {
            let variable = "SUCCESSION_RUNTIME_DIRECTORY="
            request.environment.removeAll { $0.hasPrefix(variable) }
            request.environment.append(variable + service.runtimeDirectory)
        }
        let file = try pidFile.map { (path) throws(ControlError) in try PIDFile(path) }
        defer { file?.remove() }
        do {
            return try ForegroundParent(service.directory, child: request).run()
        } catch {
            throw ControlError(
                code: "start", message: "cannot start \(command.executable): \(error)",
                exitCode: .noService)
        }
    }
}

/// A file with the pid of this process.
private struct PIDFile {
    private let path: String
    private let identity: FileIdentity

    /// Writes the file under a temporary name first, so that a reader never finds it empty.
    init(_ path: String) throws(ControlError) {
        self.path = path
        let temporary = "\(path).\(ProcessEnvironment.processID)"
        do {
            try? Syscall.unlink(temporary)
            let file = try Syscall.open(
                temporary, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o644)
            try Syscall.writeAll(
                file.rawValue, Array("\(ProcessEnvironment.processID)\n".utf8))
            identity = try Syscall.status(of: file.rawValue).identity
            try Syscall.rename(temporary, path)
        } catch {
            try? Syscall.unlink(temporary)
            throw ControlError(
                code: "system", message: "cannot write \(path): \(error)", exitCode: .inputOutput)
        }
    }

    /// Removes the file, unless another process has replaced it.
    func remove() {
        guard (try? Syscall.linkStatus(path))?.identity == identity else { return }
        try? Syscall.unlink(path)
    }
}
