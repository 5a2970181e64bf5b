// SPDX-License-Identifier: Apache-2.0

import SwapControl
import SystemPackage

/// Has the record of what serves agree with what does.
///
/// An upgrade by `swapctl upgrade`, a signal or a service manager starts what the links lead to, and
/// knows of no record.
struct Adoption {
    private let control: ServerControl
    private var site: ReleaseSite { control.site }

    init(_ control: ServerControl) {
        self.control = control
    }

    /// Returns what was found, for people; nil: the record is right, or what serves cannot be told.
    ///
    /// Whoever calls it holds the lock of the switch, and has run ``Recovery``.
    func run() throws(ControlError) -> String? {
        guard let record = try ServingRecord.serving(site), record.service == control.service.name,
            let status = try control.serving(), status.isServing, status.upgrade == nil,
            let process = control.process(status)
        else { return nil }
        // What is before the switch that is recorded does not serve any more.
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
        try adopt(served, current, record, status.serving, entry)
        return "\(status.serving) serves \(served.description(in: site)), which others upgraded to"
    }

    /// A link that led to its file when the process was started is what it was started with; of
    /// others it is only known what was written down.
    private func served(
        by process: ServerProcess, _ known: [String: String], keys: Set<String>
    ) -> Selection {
        var files = known
        for key in keys where Links(site).isOlder(key, than: process) {
            guard let target = Links(site).turned(key) else { continue }
            if key == Selection.program, process.executes(target, in: site) == false { continue }
            files[key] = target
        }
        if let program = files[Selection.program],
            process.executes(program, in: site) == false
        {
            files[Selection.program] = process.program
        }
        return Selection(files)
    }

    private func adopt(
        _ served: Selection, _ current: CurrentFile?, _ old: ServingRecord,
        _ serving: GenerationReference,
        _ entry: JournalEntry?
    ) throws(ControlError) {
        let isNamed = current?.selection == served
        let text: [UInt8]
        if isNamed, let current {
            text = current.text
        } else {
            let base = current?.text ?? Array(old.text.utf8)
            text = ReleaseUse.rewritten(try CurrentFile(site, base), served.files)
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
        // Such an upgrade may be in the journal already.
        let isTold = entry?.to == served
        if isTold, let entry { record.id = entry.id }
        try record.writeIntent(site)
        try ServingRecord.commitIntent(site)
        if isTold { return }
        try Journal.append(record.entry(.committed, serving: serving, elapsed: 0), to: site)
    }
}
