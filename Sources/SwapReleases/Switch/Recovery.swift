// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// Makes a site agree with what serves after a switch was interrupted; see ``ServingRecord``.
struct Recovery {
    let control: ServerControl
    private var site: ReleaseSite { control.site }

    init(_ control: ServerControl) {
        self.control = control
    }

    /// Returns a sentence about what was done; nil if no switch was interrupted.
    ///
    /// The caller holds the lock of the switch. Waits for an upgrade that still runs. What the switch
    /// itself wrote into `current.conf` is taken back; what others wrote there stays, because it names the
    /// release that is wanted.
    func run() throws(ControlError) -> String? {
        ReleaseAddition.removeLeftovers(site, isSwitching: true)
        guard let intent = try ServingRecord.intent(site) else {
            try completeJournal()
            return nil
        }
        let status = try control.awaitQuiet()
        let what = intent.selection.description(in: site)
        if let status, try serves(status, intent) {
            try Links(site).point(to: intent.selection)
            try ServingRecord.commitIntent(site)
            try journal(intent, .committed, status.serving, nil)
            return
                "a switch to \(what) was interrupted after it had succeeded: \(status.serving) serves it"
        }
        if let before = try ServingRecord.serving(site)?.selection ?? intent.links {
            try Links(site).point(to: before)
            Links(site).remove(intent.selection, keeping: before)
        }
        try restoreCurrent(intent)
        let reason = "swapctl was ended in the middle of the switch"
        try journal(intent, .unchanged, status?.serving, reason)
        try ServingRecord.removeIntent(site)
        return "a switch to \(what) was interrupted before it had succeeded, and was undone"
    }

    /// Takes back what an interrupted switch wrote into `current.conf`.
    private func restoreCurrent(_ intent: ServingRecord) throws(ControlError) {
        guard let replaced = intent.replaced else { return }
        let written = Array(intent.text.utf8)
        if intent.verb != .rollback, let serving = try ServingRecord.serving(site) {
            _ = try CurrentFile.restore(serving, insteadOf: written, site)
        } else if let text = replaced.text {
            _ = try CurrentFile.restore(
                Array(text.utf8), link: replaced.link, insteadOf: written, site)
        } else {
            try CurrentFile.remove(saying: written, site)
        }
    }

    /// Whether the serving generation was started by this switch, or by the links as it had pointed
    /// them.
    private func serves(
        _ status: GenerationStatus, _ intent: ServingRecord
    ) throws(ControlError) -> Bool {
        guard let process = control.process(status) else {
            throw ControlError(
                code: "permission",
                message:
                    "the program of \(status.serving) cannot be read; run swapctl as the user of "
                    + "the server, or as root",
                exitCode: .permission)
        }
        if let program = intent.selection.program,
            process.executesAnotherRelease(than: program, in: site)
        {
            return false
        }
        return process.switchID == intent.id || isStartedAfresh(process, intent)
    }

    /// Whether a service manager or a supervisor has started the server by the links, as the switch
    /// had pointed them.
    private func isStartedAfresh(_ process: ServerProcess, _ intent: ServingRecord) -> Bool {
        let links = Links(site)
        let isByLinks = intent.selection.files.allSatisfy { key, path in
            links.target(of: key) == path && links.isOlder(key, than: process.startedAt)
        }
        guard isByLinks, let program = intent.selection.program else { return false }
        return process.executes(program, in: site) == true
    }

    /// Adds the line of the journal that is missing if the process ended right after the commit.
    private func completeJournal() throws(ControlError) {
        guard let record = try ServingRecord.serving(site) else { return }
        try journal(record, .committed, nil, nil)
    }

    private func journal(
        _ record: ServingRecord, _ result: JournalEntry.Result, _ serving: GenerationReference?,
        _ reason: String?
    ) throws(ControlError) {
        if try Journal.last(site, where: { $0.id == record.id }) != nil { return }
        let who = serving ?? (try? control.serving())?.serving
        try Journal.append(
            record.entry(result, serving: who, elapsed: 0, reason: reason), to: site)
    }
}
