// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// Makes a site agree with what serves after a switch was cut short; see ``ServingRecord``.
struct Recovery {
    let control: ServerControl
    private var site: ReleaseSite { control.site }

    init(_ control: ServerControl) {
        self.control = control
    }

    /// Returns what was done, for people; nil: nothing was cut short.
    ///
    /// Whoever calls it holds the lock of the switch. An upgrade that still runs is waited for.
    /// `current.conf` stays as it is: it says what is wanted.
    func run() throws(ControlError) -> String? {
        ReleaseAddition.removeLeftovers(site)
        guard let intent = try ServingRecord.intent(site) else {
            try completeJournal()
            return nil
        }
        let status = try control.awaitQuiet()
        let what = intent.selection.description(in: site)
        if let status, try serves(status, intent) {
            try Links(site).turn(to: intent.selection)
            try ServingRecord.commitIntent(site)
            try journal(intent, .committed, status.serving, nil)
            return
                "a switch to \(what) was cut short, and had succeeded: \(status.serving) serves it"
        }
        if let before = try ServingRecord.serving(site)?.selection ?? intent.links {
            try Links(site).turn(to: before)
            Links(site).remove(intent.selection, keeping: before)
        }
        let reason = "swapctl was ended before the switch was done"
        try journal(intent, .unchanged, status?.serving, reason)
        try ServingRecord.removeIntent(site)
        return "a switch to \(what) was cut short, and had not succeeded: it was taken back"
    }

    /// Whether the serving generation was started by this switch, or by what it had turned.
    private func serves(
        _ status: GenerationStatus, _ intent: ServingRecord
    ) throws(ControlError) -> Bool {
        guard let process = control.process(status) else {
            throw ControlError(
                code: "permission",
                message: "what \(status.serving) executes cannot be told; run swapctl as its user, "
                    + "or as root",
                exitCode: .permission)
        }
        return process.switchID == intent.id || isStartedAfresh(process, intent)
    }

    /// Whether whoever supervises the server has started it by the links, as the switch had turned
    /// them.
    private func isStartedAfresh(_ process: ServerProcess, _ intent: ServingRecord) -> Bool {
        let links = Links(site)
        let isByLinks = intent.selection.files.allSatisfy { key, path in
            links.turned(key) == path && links.isOlder(key, than: process)
        }
        guard isByLinks, let program = intent.selection.program else { return false }
        return process.executes(program, in: site) == true
    }

    /// The commit is one step, and its line in the journal the next.
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
