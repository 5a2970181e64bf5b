// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl
import SystemPackage

/// Removes old releases that nobody needs.
package struct ReleasePruning: Sendable {
    package let site: ReleaseSite
    package let removed: [String]
    /// Old, but needed, with who needs them.
    package let kept: [(name: String, uses: [String])]
    package let isDryRun: Bool

    /// Keeps the last `count` versions of each stem, and every release that is named, linked to, or
    /// in use by a living generation.
    ///
    /// Throws and removes nothing if a living generation of `services`, or of the services this site
    /// has served, cannot be looked at.
    package static func prune(
        _ site: ReleaseSite, keeping count: Int, services: [Service], dryRun: Bool
    ) throws(ControlError) -> ReleasePruning {
        let change = try SiteLock.takeOrFail(site, .change, "is changing the release")
        let files = try SiteLock.files(site)
        defer {
            // Before it is closed: who waits for it is told of that, and finds it free.
            change.release()
            withExtendedLifetime(files) {}
        }
        ReleaseAddition.removeLeftovers(site)
        let all = try services + recorded(site)
        // Not a matter of files in the site: servers and processes are looked at.
        try site.rights.asCaller { () throws(ControlError) in
            for service in all { try checkVisible(service, site) }
        }
        let list = try ReleaseList.read(site)
        let uses = Dictionary(list.releases.map { ($0.name, $0.uses) }) { $1 }
        let old = try old(list, keeping: count)
        let free = old.filter { uses[$0.text]?.isEmpty != false }.map(\.text)
        if !dryRun { try remove(free, site) }
        return ReleasePruning(
            site: site, removed: free,
            kept: old.map(\.text).filter { !free.contains($0) }.map { ($0, uses[$0] ?? []) },
            isDryRun: dryRun)
    }

    /// All but the last versions of each stem: those that served last, or were added last and have not
    /// served; what is to be deployed next is the last of all.
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

    /// Every generation that lives must be one whose release can be told: one that cannot be seen from
    /// here may need any of them.
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
                // It has left meanwhile.
                if error.exitCode == .noService { continue }
                throw error
            }
            if let pid, try VisibleProgram(pid, site).isTold(in: site) { continue }
            let who = pid.map { " (pid \($0))" } ?? ", which runs in another pid namespace,"
            throw ControlError(
                code: "permission",
                message: "which release generation \(entry.generation) of \(service.name)\(who) "
                    + "needs cannot be told; nothing was removed: run swapctl as its user or as root, and "
                    + "where its processes and its files can be seen",
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
                // A directory is gone at once, not file by file.
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
        let kept = kept.map { "\($0.name) is kept: \($0.uses.joined(separator: ", "))" }
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
                    kept.map { ($0.name, .array($0.uses.map { .string($0) })) }
                ) { $1 }),
            "exit_code": .integer(0),
        ]
    }
}
