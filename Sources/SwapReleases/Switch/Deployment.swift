// SPDX-License-Identifier: Apache-2.0

package import SwapControl
import SystemPackage

/// Names a release and has the server upgraded to it: both, or neither.
package struct Deployment {
    private let control: ServerControl
    private let isDetached: Bool
    private var site: ReleaseSite { control.site }

    /// `isDetached`: ``run(_:_:)`` returns when the successor serves, and does not wait for the end of
    /// the predecessor.
    package init(
        _ site: ReleaseSite, _ service: Service, _ options: SwitchOptions, isDetached: Bool = false
    ) {
        control = ServerControl(site: site, service: service, options: options)
        self.isDetached = isDetached
    }

    /// Switches to the releases, which are named as in `swapctl release use`; after a failure the site
    /// is as it was before.
    ///
    /// A watch of the site waits during the switch, and finds afterwards that the named release
    /// serves. SIGINT, SIGTERM and SIGHUP do not end the process during the switch. Throws and changes
    /// nothing if another switch is under way, or if no generation serves and no command that starts
    /// the server is known.
    package func run(
        _ words: [String], _ observe: @escaping (ControlEvent) -> Void
    ) throws(ControlError) -> SwitchOutcome {
        var outcome = try switchOver(words, observe)
        if !isDetached, let leaving = outcome.leaving {
            outcome.departure = site.rights.asCaller { try? leaving.follow(observe) }
        }
        return outcome
    }

    /// The service that is recorded as the one this site serves.
    package static func recordedService(_ site: ReleaseSite) throws(ControlError) -> Service? {
        guard let record = try ServingRecord.serving(site) else { return nil }
        // The owner of the site could make root upgrade the server of a third user.
        if let owner = site.rights.ownerName {
            throw .wrongUsage(
                "the record of what serves in \(site.directory) belongs to \(owner), and root does not "
                    + "take the name of a service from it: name the service, as in `swapctl deploy "
                    + "\(record.service.terminalSafe) RELEASE --current \(site.currentPath)`")
        }
        let directory = record.runtimeDirectory.isEmpty ? nil : record.runtimeDirectory
        return try Service.locate(record.service, runtimeDirectory: directory)
    }

    private func switchOver(
        _ words: [String], _ observe: @escaping (ControlEvent) -> Void
    ) throws(ControlError) -> SwitchOutcome {
        try site.prepareState()
        let lock = try SiteLock.takeOrFail(site, .change, "is changing the release")
        // Before the file is closed: the close wakes a waiting watch, which has to find the lock free.
        defer { lock.release() }
        _ = try Recovery(control).run()
        _ = try RecordReconciliation(control).run()
        let link = CurrentLink.read(site)
        let current = try CurrentFile.read(site)
        // Recorded now, so that a later rollback can return to it.
        if let current, try ServingRecord.serving(site) == nil {
            _ = try? RecordReconciliation(control).recordFirst(current)
        }
        let choice = ReleaseChoice(site: site, current: current?.selection ?? SelectedFiles([:]))
        let target = try CurrentFile(
            site, ReleaseSelection.rewritten(current, try choice.resolve(words)))
        let verb = try verb()
        let deferral = try SignalDeferral()
        defer { deferral.end() }
        var control = control
        control.signals = deferral.descriptor
        let change = try ReleaseSwitch(
            control, to: target, verb: verb, why: "swapctl deploy",
            replacing: ReleaseSwitch.Base(text: current?.text, link: link),
            wasServing: verb == .upgrade,
            // A server that is started outlives this process; init reaps it.
            observe: observe, started: { _ in })
        return change.run()
    }

    private func verb() throws(ControlError) -> JournalEntry.Verb {
        if try control.serving() != nil { return .upgrade }
        let record = try ServingRecord.serving(site)
        if !control.command(record?.command).isEmpty { return .start }
        throw ControlError(
            code: "no-such-service",
            message: "nobody serves \(control.service.name), and nothing was changed: give "
                + "`swapctl deploy` the command that starts it after --, or name the release for the next start by "
                + "`swapctl release use`",
            exitCode: .noService)
    }
}
