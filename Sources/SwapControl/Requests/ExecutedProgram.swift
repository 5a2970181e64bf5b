// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// What /proc tells of the program of a process.
struct ExecutedProgram {
    /// Links followed.
    let path: String
    private let arguments: [String]

    /// Nil: the process is gone, or may not be looked at.
    init?(_ processID: Int) {
        guard let pid = Int32(exactly: processID),
            let path = try? Syscall.readLink("/proc/\(pid)/exe")
        else { return nil }
        self.path = path
        arguments = ((try? Syscall.readFile("/proc/\(pid)/cmdline")) ?? [])
            .split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether it executes what a path leads to now, itself or as the interpreter of it.
    func isStarted(by wanted: String) -> Bool {
        guard let wanted = try? Syscall.realPath(wanted) else { return false }
        if path == wanted { return true }
        // A script's path is an argument; what a program calls itself is the link it was started by,
        // wherever that leads now.
        return arguments.dropFirst().contains { argument in
            argument.hasPrefix("/") && (try? Syscall.realPath(argument)) == wanted
        }
    }
}
