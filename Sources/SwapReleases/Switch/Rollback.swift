// SPDX-License-Identifier: Apache-2.0

package import SwapControl
import SystemPackage

/// Goes back to a release that served before: an upgrade to it, with its own entry in the journal.
package struct Rollback {
    let control: ServerControl
    var site: ReleaseSite { control.site }

    package init(_ site: ReleaseSite, _ service: Service, _ options: SwitchOptions) {
        control = ServerControl(site: site, service: service, options: options)
    }

    /// Switches to `release`, or to what was committed before what serves.
    ///
    /// If something else is named than what serves, as after an upgrade that failed, what serves is
    /// named again instead.
    /// Whoever watches the site waits meanwhile, and finds afterwards that what is named serves.
    /// SIGINT, SIGTERM and SIGHUP do not end the process during the switch. Throws if there is
    /// nothing to go back to, and if a switch is under way.
    package func run(
        to release: String?, _ observe: @escaping (ControlEvent) -> Void
    ) throws(ControlError) -> SwitchOutcome {
        try site.prepareState()
        let lock = try SiteLock.takeOrFail(site, .change, "is changing the release")
        // Before it is closed: who waits for it is told of that, and finds it free.
        defer { lock.release() }
        _ = try Recovery(control).run()
        _ = try Adoption(control).run()
        let record = try ServingRecord.serving(site)
        let change =
            if release == nil, let record, try isOff(record) {
                try restoring(record, observe)
            } else if release == nil, record == nil, let serving = try unrecorded() {
                try restoring(serving, observe)
            } else {
                try goingBack(to: release, record, observe)
            }
        let hold = try SignalHold()
        defer { hold.end() }
        return change.run()
    }

    private func goingBack(
        to release: String?, _ record: ServingRecord?,
        _ observe: @escaping (ControlEvent) -> Void
    ) throws(ControlError) -> Switch {
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
        return try Switch(
            control, to: try CurrentFile(site, text), verb: .rollback,
            why: release.map { "rollback to \($0)" } ?? "rollback",
            replacing: Switch.Base(text: current?.text, link: link),
            // A server that is started outlives this process, and so does whoever reaps it.
            observe: observe, started: { _ in })
    }

    private func target(
        _ release: String?, _ journal: Journal, _ record: ServingRecord?
    ) throws(ControlError) -> Selection {
        guard let release else {
            if let previous = journal.previous(of: record?.selection) { return previous }
            throw ControlError(
                code: "nothing-to-do",
                message: "the journal of \(control.service.name) names nothing that served before; "
                    + "give --to RELEASE",
                exitCode: .unchanged)
        }
        if let selection = journal.last(with: release, site) { return selection }
        var serving = Selection([:])
        if let record {
            serving = record.selection
        } else if let current = try CurrentFile.read(site) {
            serving = current.selection
        }
        let chosen = try ReleaseChoice(site: site, current: serving).resolve([release])
        return Selection(serving.files.merging(chosen) { $1 })
    }

    /// What `current.conf` is to say: as it does now, with the files of the target.
    private func text(
        _ target: Selection, _ current: CurrentFile?, _ record: ServingRecord?
    ) throws(ControlError) -> [UInt8] {
        if current == nil, let record {
            return ReleaseUse.rewritten(
                try CurrentFile(site, Array(record.text.utf8)), target.files)
        }
        return ReleaseUse.rewritten(current, target.files)
    }
}
