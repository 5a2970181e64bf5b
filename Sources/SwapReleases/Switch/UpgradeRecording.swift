// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl
import SystemPackage

/// Records in the journal what `swapctl upgrade` and `swapctl abort` do to a server of a site.
package enum UpgradeRecording {
    /// Adds an upgrade to the journal of the site from which the server runs, if that site has served
    /// the service before.
    ///
    /// Returns a warning, with which the upgrade does not fail: the journal could not be written, or the
    /// links still lead to a release that has failed.
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

    /// Adds the abort of an upgrade, and who requested it, to the same journal.
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
            return "the abort of the upgrade is not in the journal: \(error.message)"
        }
    }

    /// A warning if the links do not lead to what serves: without a watch nothing restores them.
    private static func stillNamed(_ record: ServingRecord, _ site: ReleaseSite) -> String? {
        let links = Links(site).targets(of: record.selection)
        if links == record.selection { return nil }
        return advice(links, record.service, site)
    }

    private static func stillNamed(
        _ outcome: UpgradeOutcome, _ service: Service, _ site: ReleaseSite
    ) -> String? {
        guard let pid = outcome.serving?.processID,
            let process = site.rights.asCaller({ ServerProcess(Int32(clamping: pid)) }),
            let program = Links(site).target(of: SelectedFiles.program),
            process.executes(program, in: site) == false
        else { return nil }
        return advice(SelectedFiles([SelectedFiles.program: program]), service.name, site)
    }

    private static func advice(
        _ named: SelectedFiles, _ service: String, _ site: ReleaseSite
    ) -> String {
        "the links still lead to \(named.description(in: site)), and the next start would execute "
            + "it: `swapctl rollback \(service)` names what serves again; `swapctl deploy` does so "
            + "by itself"
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

    /// The targets of the links, if the server was started by them; else its program alone.
    private static func served(
        _ outcome: UpgradeOutcome, _ record: ServingRecord, _ site: ReleaseSite
    ) -> SelectedFiles? {
        let links = SelectedFiles(
            record.selection.files.reduce(into: [:]) { files, entry in
                files[entry.key] = Links(site).target(of: entry.key) ?? entry.value
            })
        guard outcome.isCommitted, let pid = outcome.serving?.processID,
            let process = site.rights.asCaller({ ServerProcess(Int32(clamping: pid)) })
        else { return links }
        let program = links.program.flatMap { ReleaseSite.resolved($0) }
        if let program, process.paths.contains(program) { return links }
        return SelectedFiles([SelectedFiles.program: process.program])
    }
}
