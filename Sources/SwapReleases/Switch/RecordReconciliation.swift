// SPDX-License-Identifier: Apache-2.0

import SwapControl
import SystemPackage

/// Makes the record of what serves agree with what does serve.
///
/// An upgrade by `swapctl upgrade`, by a signal or by a service manager starts the files that the
/// links lead to, and writes no record.
struct RecordReconciliation {
    private let control: ServerControl
    private var site: ReleaseSite { control.site }

    init(_ control: ServerControl) {
        self.control = control
    }

    /// Corrects the record, and returns a sentence about it; nil if the record is right, or if it is
    /// not known which files serve.
    ///
    /// The caller holds the lock of the switch, and has run ``Recovery``.
    func run() throws(ControlError) -> String? {
        guard let record = try ServingRecord.serving(site), record.service == control.service.name,
            let status = try control.serving(), status.isServing, status.upgrade == nil,
            let process = control.process(status)
        else { return nil }
        // Entries older than the recorded switch are about processes that no longer serve.
        let entry = try Journal.last(site, downTo: record.id) { entry in
            entry.result == .committed && entry.service == record.service
                && entry.generation == status.generation
                && entry.processID == status.visibleProcessID
        }
        let current = try? CurrentFile.read(site)
        let known = record.selection.files.merging(entry?.to?.files ?? [:]) { $1 }
        let named = current?.selection.files ?? [:]
        let served = served(by: process, known, keys: Set(known.keys).union(named.keys))
        if served == record.selection { return nil }
        try write(served, current, replacing: record, status.serving, entry)
        return "\(status.serving) serves \(served.description(in: site)), to which something other "
            + "than this watch or a deployment upgraded it"
    }

    /// The files a process was started with: where a link has not changed since the start, its
    /// target; elsewhere what was recorded.
    private func served(
        by process: ServerProcess, _ known: [String: String], keys: Set<String>
    ) -> SelectedFiles {
        var files = known
        for key in keys where Links(site).isOlder(key, than: process.startedAt) {
            guard let target = Links(site).target(of: key) else { continue }
            if key == SelectedFiles.program, process.executes(target, in: site) == false {
                continue
            }
            files[key] = target
        }
        if let program = files[SelectedFiles.program],
            process.executes(program, in: site) == false
        {
            files[SelectedFiles.program] = process.program
        }
        return SelectedFiles(files)
    }

    private func write(
        _ served: SelectedFiles, _ current: CurrentFile?, replacing old: ServingRecord,
        _ serving: GenerationReference, _ entry: JournalEntry?
    ) throws(ControlError) {
        let isNamed = current?.selection == served
        let text: [UInt8]
        if isNamed, let current {
            text = current.text
        } else {
            let base = current?.text ?? Array(old.text.utf8)
            text = ReleaseSelection.rewritten(try CurrentFile(site, base), served.files)
        }
        var record = old
        record.id = SwitchID.next()
        record.verb = .adopt
        record.selection = served
        record.text = String(decoding: text, as: UTF8.self)
        record.link = isNamed ? CurrentLink.read(site) : nil
        record.from = old.selection
        record.links = nil
        record.time = Timestamp.now()
        record.why = "others upgraded to it"
        // The journal may have an entry of that upgrade already.
        let isInJournal = entry?.to == served
        if isInJournal, let entry { record.id = entry.id }
        try record.writeIntent(site)
        try ServingRecord.commitIntent(site)
        if isInJournal { return }
        try Journal.append(record.entry(.committed, serving: serving, elapsed: 0), to: site)
    }
}

// MARK: - The first record of a site

extension RecordReconciliation {
    /// Writes the first record of a site, if the server runs what `current.conf` names; nil if it
    /// does not.
    func recordFirst(_ current: CurrentFile) throws(ControlError) -> GenerationReference? {
        guard let status = try control.serving(), control.isServed(current, by: status),
            isConfigured(current, status)
        else { return nil }
        try current.check()
        try Links(site).point(to: current.selection)
        let record = ServingRecord(
            id: SwitchID.next(), verb: .adopt, service: control.service.name,
            runtimeDirectory: control.service.runtimeDirectory, name: site.name,
            selection: current.selection, text: String(decoding: current.text, as: UTF8.self),
            link: CurrentLink.read(site), command: control.command(nil),
            from: nil, links: nil, time: Timestamp.now(), why: "it served already")
        try record.writeIntent(site)
        try ServingRecord.commitIntent(site)
        try Journal.append(record.entry(.committed, serving: status.serving, elapsed: 0), to: site)
        return status.serving
    }

    /// Whether the links to all files but the program led there when the serving process started: the
    /// server finds its configuration by them alone.
    private func isConfigured(_ current: CurrentFile, _ status: GenerationStatus) -> Bool {
        let others = current.selection.files.filter { $0.key != SelectedFiles.program }
        if others.isEmpty { return true }
        guard let process = control.process(status) else { return false }
        let links = Links(site)
        return others.allSatisfy { key, path in
            links.target(of: key) == path && links.isOlder(key, than: process.startedAt)
        }
    }
}
