// SPDX-License-Identifier: Apache-2.0

import SwapControl

/// After a failed upgrade `current.conf` and the links may name the release that failed: the next
/// start would execute it.
extension Rollback {
    /// Whether `current.conf` or the links name another release than the one that serves or served last.
    func namesAnother(_ record: ServingRecord) throws(ControlError) -> Bool {
        let named = try? CurrentFile.read(site)?.selection
        return named != record.selection || !Links(site).lead(to: record.selection)
    }

    /// Names the release that serves, or served last, again; a running server is not upgraded.
    func restoring(
        _ record: ServingRecord, _ observe: @escaping (ControlEvent) -> Void
    ) throws(ControlError) -> ReleaseSwitch {
        let text = try CurrentFile.readText(site)
        let current = text.flatMap { try? CurrentFile(site, $0) }
        let target =
            current?.selection.files.keys == record.selection.files.keys
            ? ReleaseSelection.rewritten(current, record.selection.files) : Array(record.text.utf8)
        let named =
            current.map { $0.selection.description(in: site) } ?? "an unreadable current.conf"
        return try ReleaseSwitch(
            control, to: try CurrentFile(site, target), verb: .rollback,
            why: "rollback of \(named), which was named and does not serve",
            replacing: ReleaseSwitch.Base(text: text, link: CurrentLink.read(site)), isServed: true,
            observe: observe, started: { _ in })
    }

    /// The release that serves, in a site without a record; nil if `current.conf` names it.
    ///
    /// Throws if it is not known which files the server was started with.
    func unrecorded() throws(ControlError) -> ServingRecord? {
        guard let current = try CurrentFile.read(site), let status = try control.serving(),
            let process = control.process(status), let named = current.selection.program,
            process.executes(named, in: site) == false,
            Path.relative(process.program, to: site.releaseDirectory) != nil
        else { return nil }
        var files = current.selection.files
        files[SelectedFiles.program] = process.program
        for key in files.keys where key != SelectedFiles.program {
            if Links(site).isOlder(key, than: process.startedAt),
                let target = Links(site).target(of: key)
            {
                files[key] = target
                continue
            }
            let program = Path.name(process.program)
            throw ControlError(
                code: "nothing-to-do",
                message:
                    "\(status.serving) executes \(program); the \(key).file it was started with "
                    + "is not recorded: name both, `swapctl release use bin=\(program) "
                    + "\(key)=RELEASE`",
                exitCode: .unchanged)
        }
        let text = ReleaseSelection.rewritten(current, files)
        return ServingRecord(
            id: SwitchID.next(), verb: .adopt, service: control.service.name,
            runtimeDirectory: control.service.runtimeDirectory, name: site.name,
            selection: SelectedFiles(files), text: String(decoding: text, as: UTF8.self), link: nil,
            command: [], from: nil, links: nil, time: Timestamp.now(), why: "it served already")
    }
}
