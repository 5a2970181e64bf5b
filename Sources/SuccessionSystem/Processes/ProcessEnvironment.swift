// SPDX-License-Identifier: Apache-2.0

import CSuccession
import Glibc
package import SystemPackage

/// What this process was given when it was started.
///
/// Variables are to be changed before the program has threads that read them: the C library does
/// not lock them.
package enum ProcessEnvironment {
    /// All variables, as `KEY=VALUE`.
    ///
    /// The corresponding C variable is `environ`.
    package static func snapshot() -> [String] {
        guard let variables = csuccession_environment() else { return [] }
        var entries: [String] = []
        var index = 0
        while let entry = variables[index] {
            entries.append(String(cString: entry))
            index += 1
        }
        return entries
    }

    /// The value of a variable; nil if it is not set.
    ///
    /// The corresponding C function is `getenv`.
    package static func value(_ key: String) -> String? {
        getenv(key).map { String(cString: $0) }
    }

    /// Sets a variable.
    ///
    /// The corresponding C function is `setenv`.
    package static func set(_ key: String, _ value: String) {
        setenv(key, value, 1)
    }

    /// Removes a variable; one that is not set is no error.
    ///
    /// The corresponding C function is `unsetenv`.
    package static func remove(_ key: String) {
        unsetenv(key)
    }

    /// The corresponding C function is `getpid`.
    package static var processID: Int32 { getpid() }

    /// 0 if the parent is in a pid namespace that cannot be seen from here.
    ///
    /// The corresponding C function is `getppid`.
    package static var parentProcessID: Int32 { getppid() }

    /// The corresponding C function is `geteuid`.
    package static var effectiveUserID: UInt32 { geteuid() }

    /// The file this process executes, with links followed; empty if /proc is not mounted.
    ///
    /// Of a file that was replaced meanwhile: the path where the new one is.
    package static var executablePath: String {
        let path = (try? Syscall.readLink("/proc/self/exe")) ?? ""
        let suffix = " (deleted)"
        // A file may really be called so.
        if path.hasSuffix(suffix), (try? Syscall.status(path)) == nil {
            return String(path.dropLast(suffix.count))
        }
        return path
    }

    /// The path by which this process was started, absolute, with links not followed: looked up
    /// anew, a link to the current release leads to the new one.
    ///
    /// Call it before the working directory changes. It is ``executablePath`` where the path leads
    /// nowhere, as for a program started by descriptor.
    package static func invokedPath() -> String {
        guard let given = csuccession_executed_path().map({ String(cString: $0) }), !given.isEmpty
        else {
            return executablePath
        }
        var path = given
        if !path.hasPrefix("/"), let directory = try? workingDirectory() {
            let relative = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
            path = (directory == "/" ? "" : directory) + "/" + relative
        }
        let isByDescriptor = path.hasPrefix("/dev/fd/") || path.hasPrefix("/proc/self/fd/")
        guard !isByDescriptor, (try? Syscall.status(path))?.isExecutable == true else {
            return executablePath
        }
        return path
    }

    /// An absolute path.
    ///
    /// ENOENT: the directory was removed, or lies outside of this process's root.
    ///
    /// The corresponding C function is `getcwd`.
    package static func workingDirectory() throws(Errno) -> String {
        guard let path = getcwd(nil, 0) else { throw Errno(rawValue: errno) }
        defer { free(path) }
        let directory = String(cString: path)
        guard directory.hasPrefix("/") else { throw .noSuchFileOrDirectory }
        return directory
    }

    /// From `argv[0]` on.
    package static func arguments() -> [String] {
        let arguments = arguments("self")
        return arguments.isEmpty ? argumentsOfMain() : arguments
    }

    /// Those of another process; empty if it is not to be seen.
    package static func arguments(of pid: Int32) -> [String] { arguments("\(pid)") }

    private static func arguments(_ entry: String) -> [String] {
        guard let bytes = try? Syscall.readFile("/proc/\(entry)/cmdline"), !bytes.isEmpty else {
            return []
        }
        // Each argument ends with a zero byte, so the last piece is no argument.
        let ends = bytes.last == 0 ? bytes.dropLast() : bytes[...]
        return ends.split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// The same where /proc is not mounted, unless the program has changed them.
    private static func argumentsOfMain() -> [String] {
        var words: UnsafePointer<UnsafeMutablePointer<CChar>?>?
        let count = Int(csuccession_arguments(&words))
        guard let words else { return [] }
        return (0..<count).compactMap { words[$0].map { String(cString: $0) } }
    }
}
