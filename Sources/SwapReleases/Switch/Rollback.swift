// SPDX-License-Identifier: Apache-2.0

package import SwapControl
import SystemPackage

/// Returns to a release that served before: an upgrade to it, with its own entry in the journal.
package struct Rollback {
    private(set) var control: ServerControl
    var site: ReleaseSite { control.site }

    package init(_ site: ReleaseSite, _ service: Service, _ options: SwitchOptions) {
        control = ServerControl(site: site, service: service, options: options)
    }

    /// Switches to `release`, or to the release that was committed before the serving one.
    ///
    /// If `current.conf` or the links name another release than the one that serves, as after an upgrade
    /// that failed, they are restored instead, and the server is not upgraded. A watch of the site waits
    /// during the switch, and finds afterwards that the named release serves. SIGINT, SIGTERM and SIGHUP
    /// do not end the process during the switch. Throws if there is no earlier release, or if another
    /// switch is under way.
    package mutating func run(
        to release: String?, _ observe: @escaping (ControlEvent) -> Void
    ) throws(ControlError) -> SwitchOutcome {
        try site.prepareState()
        let lock = try SiteLock.takeOrFail(site, .change, "is changing the release")
        // Before the file is closed: the close wakes a waiting watch, which has to find the lock free.
        defer { lock.release() }
        _ = try Recovery(control).run()
        _ = try RecordReconciliation(control).run()
        let deferral = try SignalDeferral()
        defer { deferral.end() }
        control.signals = deferral.descriptor
        defer { control.signals = nil }
        let record = try ServingRecord.serving(site)
        let change =
            if release == nil, let record, try namesAnother(record) {
                try restoring(record, observe)
            } else if release == nil, record == nil, let serving = try unrecorded() {
                try restoring(serving, observe)
            } else {
                try goingBack(to: release, record, observe)
            }
        return change.run()
    }

    private func goingBack(
        to release: String?, _ record: ServingRecord?,
        _ observe: @escaping (ControlEvent) -> Void
    ) throws(ControlError) -> ReleaseSwitch {
        let journal = try Journal.read(site).of(control.service.name)
        let target = try target(release, journal, record)
        if target == record?.selection {
            throw ControlError(
                code: "nothing-to-do",
                message: "\(target.description(in: site)) serves already; see "
                    + "`swapctl history \(control.service.name)`",
                exitCode: .unchanged)
        }
        let link = CurrentLink.read(site)
        let current = try CurrentFile.read(site)
        let text = try text(target, current, record)
        return try ReleaseSwitch(
            control, to: try CurrentFile(site, text), verb: .rollback,
            why: release.map { "rollback to \($0)" } ?? "rollback",
            replacing: ReleaseSwitch.Base(text: current?.text, link: link),
            wasServing: try control.serving() != nil,
            // A server that is started outlives this process; init reaps it.
            observe: observe, started: { _ in })
    }

    private func target(
        _ release: String?, _ journal: Journal, _ record: ServingRecord?
    ) throws(ControlError) -> SelectedFiles {
        guard let release else {
            if let previous = journal.previous(of: record?.selection) { return previous }
            throw ControlError(
                code: "nothing-to-do",
                message:
                    "the journal of \(control.service.name) has no release that served before; "
                    + "give --to RELEASE",
                exitCode: .unchanged)
        }
        if let selection = journal.last(with: release, site) { return selection }
        var serving = SelectedFiles([:])
        if let record {
            serving = record.selection
        } else if let current = try CurrentFile.read(site) {
            serving = current.selection
        }
        let chosen = try ReleaseChoice(site: site, current: serving).resolve([release])
        return SelectedFiles(serving.files.merging(chosen) { $1 })
    }

    /// The new text of `current.conf`: the present one with the files of the target.
    private func text(
        _ target: SelectedFiles, _ current: CurrentFile?, _ record: ServingRecord?
    ) throws(ControlError) -> [UInt8] {
        if current == nil, let record {
            return ReleaseSelection.rewritten(
                try CurrentFile(site, Array(record.text.utf8)), target.files)
        }
        return ReleaseSelection.rewritten(current, target.files)
    }
}
