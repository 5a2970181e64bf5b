// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// Who needs which release.
struct ReleaseUses {
    private let site: ReleaseSite
    private var uses: [String: [String]] = [:]

    private init(_ site: ReleaseSite) {
        self.site = site
    }

    func of(_ release: String) -> [String] { uses[release] ?? [] }

    /// Looks at what `current.conf`, the links and the state of the site name, and at every process
    /// that can be looked at.
    static func find(_ site: ReleaseSite) throws(ControlError) -> ReleaseUses {
        var found = ReleaseUses(site)
        // One that cannot be read names nothing that could be found out.
        if let current = try? CurrentFile.read(site) {
            for entry in current.entries { found.add(entry.path, "current (\(entry.key))") }
        }
        for name in (try? site.root.names()) ?? [] {
            if let target = try? site.root.readLink(name) {
                found.add(
                    target.hasPrefix("/") ? target : site.directory + "/" + target, "link \(name)")
            }
        }
        if let record = try ServingRecord.serving(site) {
            for (_, path) in record.selection.files { found.add(path, "serving") }
        }
        if let intent = try ServingRecord.intent(site) {
            for (_, path) in intent.selection.files { found.add(path, "a switch under way") }
            for (_, path) in intent.links?.files ?? [:] {
                found.add(
                    path.hasPrefix("/") ? path : site.directory + "/" + path, "a switch under way")
            }
        }
        let journal = try Journal.read(site)
        if let record = try ServingRecord.serving(site) {
            let back = journal.of(record.service).previous(of: record.selection)
            for (_, path) in back?.files ?? [:] { found.add(path, "rollback") }
        }
        found.addProcesses(journal)
        return found
    }

    /// Processes that execute a release, have the path of one in their command line, or were started
    /// by a switch to it.
    private mutating func addProcesses(_ journal: Journal) {
        let selections = journal.selections
        let switched = Dictionary(
            journal.entries.filter { $0.result == .committed }.compactMap { entry in
                entry.processID.flatMap { pid in entry.to.map { (pid, $0) } }
            }
        ) { $1 }
        let files = ReleaseFiles(site)
        for entry in (try? Syscall.listDirectory("/proc")) ?? [] {
            guard let pid = Int32(entry) else { continue }
            guard let process = site.rights.asCaller({ ServerProcess(pid) }) else { continue }
            for path in process.paths { add(path, "pid \(pid)") }
            // By another path, in a mount namespace of its own.
            for path in VisibleProgram(pid, site).elsewhere(files) { add(path, "pid \(pid)") }
            var needed = process.switchID.flatMap { selections[$0] }
            // One that was started otherwise is in the journal too, once it has served; a number that
            // has become another one's keeps a release for nothing.
            let isRelease = process.paths.contains {
                Path.relative($0, to: site.releaseDirectory) != nil
            }
            if isRelease { needed = switched[Int(pid)] ?? needed }
            for (_, path) in needed?.files ?? [:] { add(path, "pid \(pid)") }
        }
    }

    private mutating func add(_ path: String, _ use: String) {
        let resolved = ReleaseSite.resolved(path) ?? path
        for path in Set([path, resolved]) {
            guard let relative = Path.relative(path, to: site.releaseDirectory),
                let name = relative.split(separator: "/").first.map(String.init)
            else { continue }
            if uses[name]?.contains(use) != true { uses[name, default: []].append(use) }
        }
    }
}

/// What /proc tells of a process that may be a server.
struct ServerProcess {
    /// The variable by which a generation knows which switch has started it.
    static let switchVariable = "SUCCESSION_SWITCH"

    /// What it executes and what its command line names, links followed.
    let paths: [String]
    /// Of the switch that started it, or that started the one by which it was upgraded.
    let switchID: String?
    /// Its command line.
    private let arguments: [String]
    /// In nanoseconds since 1970, at the latest; nil: it is gone.
    private(set) var startedAt: Int?

    /// The process of a generation.
    init?(_ status: GenerationStatus) {
        // What cannot be seen from here is no process of this number here.
        guard let pid = status.visibleProcessID else { return nil }
        self.init(Int32(clamping: pid))
        // A server may be ready, and a link turned, within the tick that is all the kernel tells.
        if let began = status.beganAt, let latest = startedAt {
            startedAt = min(latest, Syscall.wallClock(atMonotonic: began))
        }
    }

    /// Nil: it is gone, or it may not be looked at.
    init?(_ pid: Int32) {
        guard let program = try? Syscall.readLink("/proc/\(pid)/exe") else { return nil }
        arguments = ServerProcess.strings("/proc/\(pid)/cmdline")
        startedAt = ProcessStatus.of(pid)?.startedAtNanoseconds
        let removed = " (deleted)"
        paths =
            [program.hasSuffix(removed) ? String(program.dropLast(removed.count)) : program]
            + arguments.filter { $0.hasPrefix("/") }.compactMap { ReleaseSite.resolved($0) }
        let prefix = Self.switchVariable + "="
        switchID = ServerProcess.strings("/proc/\(pid)/environ")
            .last { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }

    /// The program it executes, links followed.
    var program: String { paths[0] }

    /// Whether it executes a program, itself or as its interpreter; nil: it cannot be told.
    func executes(_ program: String, in site: ReleaseSite) -> Bool? {
        let wanted = ReleaseSite.resolved(program) ?? program
        if self.program == wanted { return true }
        let isRelease = Path.relative(self.program, to: site.releaseDirectory) != nil
        // What a release calls itself is the link it was started by, wherever that leads now.
        for argument in isRelease ? arguments.dropFirst() : arguments[...]
        where argument.hasPrefix("/") && ReleaseSite.resolved(argument) == wanted {
            let isLink = argument == site.linkPath(Selection.program)
            if !isLink || Links(site).isOlder(Selection.program, than: self) { return true }
        }
        return isRelease ? false : nil
    }

    /// As whom a process runs, may run, and has run (proc_pid_status(5)); nil: it is gone.
    static func users(_ pid: Int32) -> Set<UInt32>? {
        guard let bytes = try? Syscall.readFile("/proc/\(pid)/status") else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix("Uid:") }) else { return nil }
        return Set(line.split(separator: "\t").dropFirst().compactMap { UInt32($0) })
    }

    private static func strings(_ path: String) -> [String] {
        guard let bytes = try? Syscall.readFile(path) else { return [] }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
