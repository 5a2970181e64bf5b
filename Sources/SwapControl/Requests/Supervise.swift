// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SuccessionTransport
import SystemPackage

/// Runs a server in the foreground, whatever generation of it serves: for supervisors that know one
/// process, and as process 1.
package struct Supervise: Sendable {
    private let service: Service
    private let command: SuccessorCommand
    private let pidFile: String?

    package init(_ service: Service, _ command: SuccessorCommand, pidFile: String? = nil) {
        self.service = service
        self.command = command
        self.pidFile = pidFile
    }

    /// Returns the status of the last generation, as a shell has it, when none is left.
    package func run() throws(ControlError) -> Int32 {
        // It is watched from the beginning; that it cannot be made, the server itself says best.
        try? service.directory.prepare()
        var request = SpawnRequest(path: command.executable, arguments: command.arguments)
        // The server finds it by the same rules, unless the operator has named another one.
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

/// A file that holds the number of this process, for those who look for it there.
private struct PIDFile {
    private let path: String
    private let identity: FileIdentity

    /// Under a temporary name first: whoever reads it finds a number in it.
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

    /// Only if it is still ours.
    func remove() {
        guard (try? Syscall.linkStatus(path))?.identity == identity else { return }
        try? Syscall.unlink(path)
    }
}
