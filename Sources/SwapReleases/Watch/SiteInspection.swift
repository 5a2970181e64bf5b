// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// What a comparison of `current.conf` with the serving generation has found.
struct SiteInspection {
    var finding: WatchStateMachine.Finding
    /// Nil if `current.conf` cannot be understood.
    var current: CurrentFile?
    /// The text of `current.conf`; nil if it cannot be read.
    var text: [UInt8]?
    /// Why `current.conf` cannot be read or understood.
    var problem: String?
    /// Whether a file can be put in the place of `current.conf`: not if it is a directory, for
    /// example.
    var canRestore = false
    /// A sentence for the operator.
    var note: String?

    /// Compares `current.conf` with the serving generation, and corrects what needs no upgrade: links
    /// that lead elsewhere, and a record whose text of `current.conf` is old but names the same files.
    ///
    /// The caller holds the lock of the switch.
    static func run(_ control: ServerControl) throws(ControlError) -> SiteInspection {
        let site = control.site
        try site.checkRights()
        let reconciled = try RecordReconciliation(control).run()
        let text: [UInt8]?
        do {
            text = try CurrentFile.readText(site)
        } catch {
            return SiteInspection(finding: .unreadable, problem: error.message)
        }
        guard let text else {
            return SiteInspection(
                finding: .unreadable, problem: "\(site.currentPath) is gone", canRestore: true)
        }
        let current: CurrentFile
        do {
            current = try CurrentFile(site, text)
        } catch {
            return SiteInspection(
                finding: .unreadable, text: text, problem: error.message, canRestore: true)
        }
        var inspection = SiteInspection(
            finding: .different, current: current, text: text, note: reconciled)
        try inspection.compare(current, text, control)
        return inspection
    }

    private mutating func compare(
        _ current: CurrentFile, _ text: [UInt8], _ control: ServerControl
    ) throws(ControlError) {
        let site = control.site
        guard let record = try ServingRecord.serving(site) else {
            if let serving = try RecordReconciliation(control).recordFirst(current) {
                finding = .same
                note = "\(serving) serves \(current.selection.description(in: site))"
            }
            return
        }
        guard record.selection == current.selection else { return }
        guard let status = try control.serving() else {
            let canStart = !control.command(record.command).isEmpty
            finding = .down(canStart: canStart)
            if !canStart {
                try Links(site).point(to: current.selection)
                note =
                    control.foreignCommand(record)
                    ?? "nobody serves \(control.service.name), and swapctl does not start it"
            }
            return
        }
        guard control.isServed(current, by: status, record) else { return }
        try Links(site).point(to: current.selection)
        if Array(record.text.utf8) != text || record.link != CurrentLink.read(site) {
            try Self.update(record, to: text, site)
        }
        finding = .same
    }

    /// Records another text of `current.conf` that names the same files, perhaps with keys of others.
    private static func update(
        _ record: ServingRecord, to text: [UInt8], _ site: ReleaseSite
    ) throws(ControlError) {
        var record = record
        record.text = String(decoding: text, as: UTF8.self)
        record.link = CurrentLink.read(site)
        try record.writeIntent(site)
        try ServingRecord.commitIntent(site)
    }

    /// Throws if anybody may write what decides which program is executed, or if the site has another
    /// owner than when it was opened.
    static func checkPermissions(_ site: ReleaseSite) throws(ControlError) {
        try site.checkRights()
        let places = [
            (site.directory, try? site.root.facts()),
            (site.releaseDirectory, try? site.openReleases().facts()),
            (site.currentPath, try? site.follow(site.currentName).facts()),
        ]
        for (path, facts) in places {
            guard let facts, facts.mode & 0o002 != 0 else { continue }
            throw ControlError(
                code: "permission",
                message: "everybody may write \(path), and so decide what is executed; run "
                    + "`chmod o-w \(path)`",
                exitCode: .permission)
        }
    }
}
