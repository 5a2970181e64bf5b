// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// The program that shall be the successor, and its arguments.
package struct SuccessorCommand: Sendable, Hashable {
    /// An absolute path: the server's working directory is another one than the operator's.
    package let executable: String
    /// From `argv[0]` on, which is the program as the operator wrote it; empty: the server's own.
    package let arguments: [String]

    /// A program by its absolute path; without arguments it gets the server's own.
    package init(executable: String, arguments: [String] = []) {
        self.executable = executable
        self.arguments = arguments
    }

    /// Resolves the program as a shell does: a name with a slash from the working directory, another in `PATH`.
    ///
    /// Whether a path leads to a program is not asked: the server may see another file system. Nil: no command was
    /// given.
    package init?(_ arguments: [String]) throws(ControlError) {
        guard let program = arguments.first else { return nil }
        if program.isEmpty { throw .usage("the command after -- begins with an empty word") }
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
                "cannot tell the working directory; give \(path) as an absolute path", error)
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
