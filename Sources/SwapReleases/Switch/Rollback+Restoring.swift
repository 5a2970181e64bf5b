// SPDX-License-Identifier: Apache-2.0

import SwapControl

/// After a failure `current.conf` and the links may name what did not serve: the next start would
/// execute it.
extension Rollback {
    /// Whether something else is named than what serves, or served last.
    func isOff(_ record: ServingRecord) throws(ControlError) -> Bool {
        let named = try? CurrentFile.read(site)?.selection
        return named != record.selection || !Links(site).areTurned(to: record.selection)
    }

    /// Names what serves, or served last, again; a server that runs is not touched.
    func restoring(
        _ record: ServingRecord, _ observe: @escaping (ControlEvent) -> Void
    ) throws(ControlError) -> Switch {
        let text = try CurrentFile.readText(site)
        let current = text.flatMap { try? CurrentFile(site, $0) }
        let target =
            current?.selection.files.keys == record.selection.files.keys
            ? ReleaseUse.rewritten(current, record.selection.files) : Array(record.text.utf8)
        let named = current.map { $0.selection.description(in: site) } ?? "nothing that can be read"
        return try Switch(
            control, to: try CurrentFile(site, target), verb: .rollback,
            why: "rollback of what was named and does not serve: \(named)",
            replacing: Switch.Base(text: text, link: CurrentLink.read(site)), isServed: true,
            observe: observe, started: { _ in })
    }

    /// What serves though nothing was recorded yet, if something else is named; nil: the same is.
    ///
    /// Throws if it cannot be told which files it was started with.
    func unrecorded() throws(ControlError) -> ServingRecord? {
        guard let current = try CurrentFile.read(site), let status = try control.serving(),
            let process = control.process(status), let named = current.selection.program,
            process.executes(named, in: site) == false,
            Path.relative(process.program, to: site.releaseDirectory) != nil
        else { return nil }
        var files = current.selection.files
        files[Selection.program] = process.program
        for key in files.keys where key != Selection.program {
            if Links(site).isOlder(key, than: process), let target = Links(site).turned(key) {
                files[key] = target
                continue
            }
            let program = Path.name(process.program)
            throw ControlError(
                code: "nothing-to-do",
                message: "\(status.serving) executes \(program); with which \(key).file it was "
                    + "started is not recorded: name both, `swapctl release use bin=\(program) "
                    + "\(key)=RELEASE`",
                exitCode: .unchanged)
        }
        let text = ReleaseUse.rewritten(current, files)
        return ServingRecord(
            id: SwitchID.next(), verb: .adopt, service: control.service.name,
            runtimeDirectory: control.service.runtimeDirectory, name: site.name,
            selection: Selection(files), text: String(decoding: text, as: UTF8.self), link: nil,
            command: [], from: nil, links: nil, time: Timestamp.now(), why: "it served already")
    }
}
