// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl
import SystemPackage

/// Removes old releases that are not needed any more.
package struct ReleasePruning: Sendable {
    package let site: ReleaseSite
    package let removed: [String]
    /// Old releases that are needed, and what needs them.
    package let kept: [(name: String, references: [String])]
    package let isDryRun: Bool

    /// Keeps the last `count` versions of each stem, and every release that is named, linked to, needed
    /// by a rollback, or used by a living generation.
    ///
    /// Throws and removes nothing if it is not known which release a living generation uses, be it one of
    /// `services` or of the service that is recorded in the site.
    package static func prune(
        _ site: ReleaseSite, keeping count: Int, services: [Service], dryRun: Bool
    ) throws(ControlError) -> ReleasePruning {
        let change = try SiteLock.takeOrFail(site, .change, "is changing the release")
        let files = try SiteLock.files(site)
        defer {
            // Before the file is closed: the close wakes a waiting watch, which has to find the lock free.
            change.release()
            withExtendedLifetime(files) {}
        }
        ReleaseAddition.removeLeftovers(site)
        let all = try services + recorded(site)
        // Servers and processes are not in the site: they are asked with swapctl's own rights.
        try site.rights.asCaller { () throws(ControlError) in
            for service in all { try checkVisible(service, site) }
        }
        let list = try ReleaseList.read(site)
        let references = Dictionary(list.releases.map { ($0.name, $0.references) }) { $1 }
        let old = try old(list, keeping: count)
        let free = old.filter { references[$0.text]?.isEmpty != false }.map(\.text)
        if !dryRun { try remove(free, site) }
        return ReleasePruning(
            site: site, removed: free,
            kept: old.map(\.text).filter { !free.contains($0) }.map { ($0, references[$0] ?? []) },
            isDryRun: dryRun)
    }

    /// All but the last versions of each stem.
    ///
    /// Versions are in the order of the time they served last, or else were added. A version higher than
    /// every one that has served is to be deployed next, and comes last.
    private static func old(
        _ list: ReleaseList, keeping count: Int
    ) throws(ControlError) -> [ReleaseName] {
        let site = list.site
        let served = try Journal.read(site).lastServed(site)
        let named = try? CurrentFile.read(site)?.selection.files.values.compactMap {
            Path.relative($0, to: site.releaseDirectory)
        }
        let stems = ReleaseName.stems(named ?? []).union([site.name])
        let times = Dictionary(
            list.releases.map { release in
                (release.name, served[release.name] ?? Timestamp.text(seconds: release.addedAt))
            }
        ) { $1 }
        let names = list.releases.map { ReleaseName($0.name, stems: stems) }
        return Dictionary(grouping: names, by: \.stem).values.flatMap { versions in
            let newest = versions.filter { served[$0.text] != nil }.max()
            func isNext(_ name: ReleaseName) -> Bool { newest.map { $0 < name } ?? false }
            return versions.sorted { one, other in
                if isNext(one) != isNext(other) { return isNext(other) }
                let (left, right) = (times[one.text] ?? "", times[other.text] ?? "")
                return left == right ? one < other : left < right
            }.dropLast(count)
        }.sorted()
    }

    private static func recorded(_ site: ReleaseSite) throws(ControlError) -> [Service] {
        guard let record = try ServingRecord.serving(site) else { return [] }
        let directory = record.runtimeDirectory.isEmpty ? nil : record.runtimeDirectory
        return [try Service.locate(record.service, runtimeDirectory: directory)]
    }

    /// Throws unless the release of every living generation is known: one that cannot be seen from here
    /// may need any release.
    private static func checkVisible(
        _ service: Service, _ site: ReleaseSite
    ) throws(ControlError) {
        let report: StatusReport
        do {
            report = try StatusReport.ask(service)
        } catch {
            if error.exitCode == .noService { return }
            throw error
        }
        for entry in report.entries {
            if case .stale = entry.answer { continue }
            let pid: Int32?
            do {
                pid = try ControlClient(service).processID(ofGeneration: entry.generation)
            } catch {
                // The generation has ended meanwhile.
                if error.exitCode == .noService { continue }
                throw error
            }
            if let pid, try VisibleProgram(pid, site).isKnown(in: site) { continue }
            let who = pid.map { " (pid \($0))" } ?? ", which runs in another pid namespace,"
            throw ControlError(
                code: "permission",
                message:
                    "the release of generation \(entry.generation) of \(service.name)\(who) is "
                    + "not known; nothing was removed: run swapctl as the user of the server or as root, "
                    + "and where its processes and its files can be seen",
                exitCode: .permission)
        }
    }

    private static func remove(_ names: [String], _ site: ReleaseSite) throws(ControlError) {
        if names.isEmpty { return }
        var checksums = try Checksums.read(site)
        for name in names {
            let hidden = Path.temporaryName(for: name)
            try attempt("cannot remove \(site.releaseDirectory)/\(name)") { () throws(Errno) in
                let releases = try site.openReleases()
                let lock = DurableFile.lock(name, in: releases)
                defer { withExtendedLifetime(lock) {} }
                // Renamed first, so that a directory disappears at once, not file by file.
                try releases.rename(name, to: hidden)
                try FileCopy.remove(hidden, in: releases)
            }
            checksums.removeRelease(name)
        }
        try checksums.write()
    }
}

extension ReleasePruning {
    package var sentences: [String] {
        let kept = kept.map { "\($0.name) is kept: \($0.references.joined(separator: ", "))" }
        let what = removed.joined(separator: ", ")
        if removed.isEmpty { return kept + ["\(site.releaseDirectory): nothing to remove"] }
        return kept + [
            "\(site.releaseDirectory): \(what) \(isDryRun ? "would be removed" : "removed")"
        ]
    }

    package var json: JSONValue {
        [
            "event": "result", "verb": "prune",
            "result": isDryRun ? "dry-run" : removed.isEmpty ? "unchanged" : "pruned",
            "removed": .array(removed.map { .string($0) }),
            "kept": .object(
                Dictionary(
                    kept.map { ($0.name, .array($0.references.map { .string($0) })) }
                ) { $1 }),
            "exit_code": .integer(0),
        ]
    }
}
