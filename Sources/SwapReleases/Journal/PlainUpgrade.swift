// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl
import SystemPackage

/// Upgrades that were asked for by `swapctl upgrade`, without regard to releases.
package enum PlainUpgrade {
    /// Writes such an upgrade into the journal of the site from which the server runs, if there is
    /// one that has served it before.
    ///
    /// Returns what the operator should know beside: what kept it from being written, or that what
    /// has failed is still named; an upgrade does not fail by that.
    package static func record(_ outcome: UpgradeOutcome, of service: Service) -> String? {
        guard let path = ReleaseSite.ofServing(service) else { return nil }
        do throws(ControlError) {
            let site = try ReleaseSite.locate(current: path)
            guard let record = try ServingRecord.serving(site) else {
                return outcome.isCommitted ? nil : stillNamed(outcome, service, site)
            }
            guard record.service == service.name else { return nil }
            try Journal.append(entry(outcome, record, site), to: site)
            return outcome.isCommitted ? nil : stillNamed(record, site)
        } catch {
            return "the upgrade is not in the journal: \(error.message)"
        }
    }

    /// Writes that an upgrade was called off, and by whom, into the same journal.
    package static func record(_ report: AbortReport, of service: Service) -> String? {
        guard let path = ReleaseSite.ofServing(service) else { return nil }
        do throws(ControlError) {
            let site = try ReleaseSite.locate(current: path)
            guard let record = try ServingRecord.serving(site), record.service == service.name
            else {
                return nil
            }
            var entry = record.entry(
                .unchanged, serving: report.serving, elapsed: report.elapsedMicroseconds)
            entry.time = Timestamp.now()
            entry.id = SwitchID.next()
            entry.verb = .abort
            entry.why = "swapctl abort"
            entry.from = record.selection
            entry.to = record.selection
            entry.reason = nil
            try Journal.append(entry, to: site)
            return nil
        } catch {
            return "that the upgrade was called off is not in the journal: \(error.message)"
        }
    }

    /// Without a watch nobody takes back what `release use` has named.
    private static func stillNamed(_ record: ServingRecord, _ site: ReleaseSite) -> String? {
        let links = Links(site).turned(record.selection)
        if links == record.selection { return nil }
        return advice(links, record.service, site)
    }

    private static func stillNamed(
        _ outcome: UpgradeOutcome, _ service: Service, _ site: ReleaseSite
    ) -> String? {
        guard let pid = outcome.serving?.processID,
            let process = site.rights.asCaller({ ServerProcess(Int32(clamping: pid)) }),
            let program = Links(site).turned(Selection.program),
            process.executes(program, in: site) == false
        else { return nil }
        return advice(Selection([Selection.program: program]), service.name, site)
    }

    private static func advice(
        _ named: Selection, _ service: String, _ site: ReleaseSite
    ) -> String {
        "the links still lead to \(named.description(in: site)), and the next start would execute "
            + "it: `swapctl rollback \(service)` names again what serves; `swapctl deploy` does so itself"
    }

    private static func entry(
        _ outcome: UpgradeOutcome, _ record: ServingRecord, _ site: ReleaseSite
    ) -> JournalEntry {
        var entry = record.entry(
            outcome.isCommitted ? .committed : .unchanged, serving: outcome.serving,
            elapsed: outcome.elapsedMicroseconds)
        entry.time = Timestamp.now()
        entry.id = SwitchID.next()
        entry.verb = .upgrade
        entry.why = "swapctl upgrade"
        entry.from = record.selection
        entry.to = served(outcome, record, site)
        if case .unchanged(let failure) = outcome.result { entry.reason = failure.reason }
        return entry
    }

    /// What the links lead to, if the server was started by them; else its program alone.
    private static func served(
        _ outcome: UpgradeOutcome, _ record: ServingRecord, _ site: ReleaseSite
    ) -> Selection? {
        let links = Selection(
            record.selection.files.reduce(into: [:]) { files, entry in
                files[entry.key] = Links(site).turned(entry.key) ?? entry.value
            })
        guard outcome.isCommitted, let pid = outcome.serving?.processID,
            let process = site.rights.asCaller({ ServerProcess(Int32(clamping: pid)) })
        else { return links }
        let program = links.program.flatMap { ReleaseSite.resolved($0) }
        if let program, process.paths.contains(program) { return links }
        return Selection([Selection.program: process.program])
    }
}
