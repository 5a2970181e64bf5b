// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// The program of a successor, and its arguments.
public struct SuccessorCommand: Sendable, Hashable {
    /// An absolute path: the server has a working directory of its own.
    public let executable: String
    /// From `argv[0]` on; empty: the server's own arguments.
    public let arguments: [String]

    /// A program by its absolute path, with `argv[0]` and the arguments that follow it.
    public init(executable: String, arguments: [String] = []) {
        self.executable = executable
        self.arguments = arguments
    }

    /// Resolves a program as a shell does: a name with a slash from the working directory, any other in `PATH`.
    ///
    /// Does not check that the path leads to a program: the server may see another file system. Nil: the command is
    /// empty.
    package init?(_ arguments: [String]) throws(ControlError) {
        guard let program = arguments.first else { return nil }
        if program.isEmpty { throw .usage("the first word of the command after -- is empty") }
        self.arguments = arguments
        executable =
            program.contains("/") ? try Self.absolute(program) : try Self.inSearchPath(program)
    }

    private static func absolute(_ path: String) throws(ControlError) -> String {
        if path.hasPrefix("/") { return path }
        do {
            let directory = try ProcessEnvironment.workingDirectory()
            let relative = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
            return (directory == "/" ? "" : directory) + "/" + relative
        } catch {
            throw .system(
                "cannot read the working directory; give \(path) as an absolute path", error)
        }
    }

    private static func inSearchPath(_ name: String) throws(ControlError) -> String {
        let directories = (ProcessEnvironment.value("PATH") ?? "/usr/local/bin:/usr/bin:/bin")
            .split(separator: ":")
        for directory in directories {
            let path = try absolute("\(directory)/\(name)")
            if (try? Syscall.status(path))?.isExecutable == true { return path }
        }
        throw .usage("there is no program '\(name.terminalSafe)' in PATH; give its path")
    }
}
