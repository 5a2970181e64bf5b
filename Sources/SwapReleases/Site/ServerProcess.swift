// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// What /proc shows of a process that may be a server.
struct ServerProcess {
    /// The environment variable with the identifier of the switch that has started a generation.
    static let switchVariable = "SUCCESSION_SWITCH"

    /// The program and the absolute paths of the command line, links followed.
    let paths: [String]
    /// The switch that started the process, or that started the predecessor from which it inherits.
    let switchID: String?
    /// The command line.
    private let arguments: [String]
    /// The file that it executes, which need not be the one that has the path here.
    private let file: FileIdentity?
    /// The latest time it can have started at, in nanoseconds since 1970; nil: it has ended.
    private(set) var startedAt: Int?

    /// The process of a generation.
    init?(_ status: GenerationStatus) {
        // Of a process in another pid namespace, the pid here is another process.
        guard let pid = status.visibleProcessID else { return nil }
        self.init(Int32(clamping: pid))
        // The kernel's start time is rounded to a tick, within which a link may have changed again.
        if let began = status.beganAt, let latest = startedAt {
            startedAt = min(latest, Syscall.wallClock(atMonotonic: began))
        }
    }

    /// Nil: the process has ended, or /proc does not show it to this user.
    init?(_ pid: Int32) {
        guard let program = try? Syscall.readLink("/proc/\(pid)/exe") else { return nil }
        arguments = ServerProcess.strings("/proc/\(pid)/cmdline")
        file = try? Syscall.status("/proc/\(pid)/exe").identity
        startedAt = ProcessStatus.of(pid)?.startedAtNanoseconds
        let removed = " (deleted)"
        paths =
            [program.hasSuffix(removed) ? String(program.dropLast(removed.count)) : program]
            + arguments.filter { $0.hasPrefix("/") }.compactMap { ReleaseSite.resolved($0) }
        let prefix = Self.switchVariable + "="
        switchID = ServerProcess.strings("/proc/\(pid)/environ")
            .last { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }

    /// The program, links followed.
    var program: String { paths[0] }

    /// Whether the process executes a program, directly or by an interpreter; nil: that is not known.
    func executes(_ program: String, in site: ReleaseSite) -> Bool? {
        let wanted = ReleaseSite.resolved(program) ?? program
        if self.program == wanted { return true }
        let isRelease = Path.relative(self.program, to: site.releaseDirectory) != nil
        // The first argument of a release may be the link it was started by, which leads elsewhere now.
        for argument in isRelease ? arguments.dropFirst() : arguments[...]
        where argument.hasPrefix("/") && ReleaseSite.resolved(argument) == wanted {
            let isLink = argument == site.linkPath(SelectedFiles.program)
            if !isLink || Links(site).isOlder(SelectedFiles.program, than: startedAt) {
                return true
            }
        }
        return isRelease ? false : nil
    }

    /// Whether the process certainly executes another release than the one with this program: one of another
    /// name, or, in another mount namespace, another file of the same name.
    func executesAnotherRelease(than program: String, in site: ReleaseSite) -> Bool {
        let wanted = ReleaseSite.resolved(program) ?? program
        if self.program == wanted {
            guard let file, let here = try? Syscall.status(wanted).identity else { return false }
            return file != here
        }
        // A program of a release may execute another one of the same release.
        guard executes(program, in: site) == false,
            let executed = Path.relative(self.program, to: site.releaseDirectory),
            let named = Path.relative(wanted, to: site.releaseDirectory)
        else { return false }
        return executed.prefix { $0 != "/" } != named.prefix { $0 != "/" }
    }

    /// The real, effective, saved and file system user of a process (proc_pid_status(5)); nil: it has
    /// ended.
    static func users(_ pid: Int32) -> Set<UInt32>? {
        guard let bytes = try? Syscall.readFile("/proc/\(pid)/status") else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix("Uid:") }) else { return nil }
        return Set(line.split(separator: "\t").dropFirst().compactMap { UInt32($0) })
    }

    /// Whether a process was started by another one, directly or not; false if that is not known.
    static func descends(_ pid: Int32, from ancestor: Int32) -> Bool {
        var pid = pid
        // A pid that is used again while this reads could make a circle.
        for _ in 0..<256 {
            guard let parent = ProcessStatus.of(pid)?.parentProcessID, parent > 1 else {
                return false
            }
            if parent == ancestor { return true }
            pid = parent
        }
        return false
    }

    private static func strings(_ path: String) -> [String] {
        guard let bytes = try? Syscall.readFile(path) else { return [] }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
