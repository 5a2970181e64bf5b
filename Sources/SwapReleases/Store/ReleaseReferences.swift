// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// What needs each release: names, links, records and processes.
struct ReleaseReferences {
    private let site: ReleaseSite
    private var references: [String: [String]] = [:]

    private init(_ site: ReleaseSite) {
        self.site = site
    }

    func of(_ release: String) -> [String] { references[release] ?? [] }

    /// Collects the references of `current.conf`, of the links, of the records and the journal, and of
    /// every process that can be seen.
    static func find(_ site: ReleaseSite) throws(ControlError) -> ReleaseReferences {
        var found = ReleaseReferences(site)
        // If current.conf cannot be read, nothing is known of the files it names.
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

    /// Adds processes that execute a release, have its path in their command line, or were started by a
    /// switch to it.
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
            // A process in another mount namespace may see the release under another path.
            for path in VisibleProgram(pid, site).releases(in: files) { add(path, "pid \(pid)") }
            var needed = process.switchID.flatMap { selections[$0] }
            // A process without a switch is found in the journal by its pid, if it has served. A pid that
            // another process has now keeps a release needlessly, which does no harm.
            let isRelease = process.paths.contains {
                Path.relative($0, to: site.releaseDirectory) != nil
            }
            if isRelease { needed = switched[Int(pid)] ?? needed }
            for (_, path) in needed?.files ?? [:] { add(path, "pid \(pid)") }
        }
    }

    private mutating func add(_ path: String, _ reference: String) {
        let resolved = ReleaseSite.resolved(path) ?? path
        for path in Set([path, resolved]) {
            guard let relative = Path.relative(path, to: site.releaseDirectory),
                let name = relative.split(separator: "/").first.map(String.init)
            else { continue }
            if references[name]?.contains(reference) != true {
                references[name, default: []].append(reference)
            }
        }
    }
}
