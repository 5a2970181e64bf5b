// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// Compares what `current.conf` names with what serves.
struct SiteLook {
    struct Found {
        var finding: WatchStateMachine.Finding
        /// What is named, if it can be read.
        var current: CurrentFile?
        /// What the file says, if it is there.
        var text: [UInt8]?
        /// Why it cannot be read.
        var problem: String?
        /// Whether what serves could take its place: not that of a directory, for example.
        var canBePutBack = false
        /// For people.
        var note: String?
    }

    private let control: ServerControl
    private var site: ReleaseSite { control.site }

    init(_ control: ServerControl) {
        self.control = control
    }

    /// Looks, and corrects what needs no upgrade: links that were turned, and a form of
    /// `current.conf` that names the same files.
    ///
    /// Whoever calls it holds the lock of the switch.
    func look() throws(ControlError) -> Found {
        try site.checkRights()
        let adopted = try Adoption(control).run()
        let text: [UInt8]?
        do {
            text = try CurrentFile.readText(site)
        } catch {
            return Found(finding: .unreadable, problem: error.message)
        }
        guard let text else {
            return Found(
                finding: .unreadable, problem: "\(site.currentPath) is gone", canBePutBack: true)
        }
        let current: CurrentFile
        do {
            current = try CurrentFile(site, text)
        } catch {
            return Found(
                finding: .unreadable, text: text, problem: error.message, canBePutBack: true)
        }
        var found = Found(finding: .different, current: current, text: text)
        found.note = adopted
        guard let record = try ServingRecord.serving(site) else {
            if let serving = try adoptUnrecorded(current) {
                found.finding = .same
                found.note = "\(serving) serves \(current.selection.description(in: site))"
            }
            return found
        }
        guard record.selection == current.selection else { return found }
        guard let status = try control.serving() else {
            let canStart = !control.command(record.command).isEmpty
            found.finding = .down(canStart: canStart)
            if !canStart {
                try Links(site).turn(to: current.selection)
                found.note =
                    control.foreignCommand(record)
                    ?? "nobody serves \(control.service.name), and starting it is not swapctl's"
            }
            return found
        }
        guard isServed(current, by: status, record) else { return found }
        try Links(site).turn(to: current.selection)
        if Array(record.text.utf8) != text || record.link != CurrentLink.read(site) {
            try remember(text, record)
        }
        found.finding = .same
        return found
    }

    /// Whether the program that serves is the one that is named; yes, if it cannot be told.
    private func isServed(
        _ current: CurrentFile, by status: GenerationStatus, _ record: ServingRecord? = nil
    ) -> Bool {
        guard let program = current.selection.program,
            let process = control.process(status)
        else { return true }
        if let isServed = process.executes(program, in: site) { return isServed }
        // The program may be a wrapper's, or an interpreter.
        return process.switchID != nil && process.switchID == record?.id
    }

    /// Whether the links to all other files led there when the process that serves was started: only
    /// by them does it find its configuration.
    private func isConfigured(_ current: CurrentFile, _ status: GenerationStatus) -> Bool {
        let others = current.selection.files.filter { $0.key != Selection.program }
        if others.isEmpty { return true }
        guard let process = control.process(status) else { return false }
        let links = Links(site)
        return others.allSatisfy { key, path in
            links.turned(key) == path && links.isOlder(key, than: process)
        }
    }

    // MARK: - Records

    /// Records what serves where nothing was switched yet, if it is what is named; nil: it is not.
    func adoptUnrecorded(_ current: CurrentFile) throws(ControlError) -> GenerationReference? {
        guard let status = try control.serving(), isServed(current, by: status),
            isConfigured(current, status)
        else { return nil }
        try adopt(current, status.serving)
        return status.serving
    }

    /// Takes what serves already for what was switched to.
    private func adopt(_ current: CurrentFile, _ serving: GenerationReference) throws(ControlError)
    {
        try current.check()
        try Links(site).turn(to: current.selection)
        let record = ServingRecord(
            id: SwitchID.next(), verb: .adopt, service: control.service.name,
            runtimeDirectory: control.service.runtimeDirectory, name: site.name,
            selection: current.selection, text: String(decoding: current.text, as: UTF8.self),
            link: CurrentLink.read(site), command: control.command(nil),
            from: nil, links: nil, time: Timestamp.now(), why: "it served already")
        try record.writeIntent(site)
        try ServingRecord.commitIntent(site)
        try Journal.append(record.entry(.committed, serving: serving, elapsed: 0), to: site)
    }

    /// The same files, said in another way or place, perhaps with keys that are not ours.
    private func remember(_ text: [UInt8], _ record: ServingRecord) throws(ControlError) {
        var record = record
        record.text = String(decoding: text, as: UTF8.self)
        record.link = CurrentLink.read(site)
        try record.writeIntent(site)
        try ServingRecord.commitIntent(site)
    }

    /// Throws if others than the owner and his group may say what is executed here, and if it is not
    /// the same owner as before.
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
