// SPDX-License-Identifier: Apache-2.0

package import SwapControl
import SystemPackage

/// Names a release and has the server upgraded to it: both, or neither.
package struct Deployment {
    private let control: ServerControl
    private let isDetached: Bool
    private var site: ReleaseSite { control.site }

    /// `isDetached`: to return when the successor serves, and not when the predecessor is gone.
    package init(
        _ site: ReleaseSite, _ service: Service, _ options: SwitchOptions, isDetached: Bool = false
    ) {
        control = ServerControl(site: site, service: service, options: options)
        self.isDetached = isDetached
    }

    /// Switches to what is named as in `swapctl release use`; what fails is taken back.
    ///
    /// Whoever watches the site waits meanwhile, and finds afterwards that what is named serves.
    /// SIGINT, SIGTERM and SIGHUP do not end the process during the switch. Throws and changes
    /// nothing if nobody serves and it is not known how the server is started, and if a switch is
    /// under way.
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
        // The owner would have root order a third one's server about.
        if let owner = site.rights.ownerName {
            throw .wrongUsage(
                "the record of what is served in \(site.directory) is \(owner)'s, and root takes no "
                    + "service from it: name the service, as in `swapctl deploy "
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
        // Before it is closed: who waits for it is told of that, and finds it free.
        defer { lock.release() }
        _ = try Recovery(control).run()
        _ = try Adoption(control).run()
        let link = CurrentLink.read(site)
        let current = try CurrentFile.read(site)
        // A later rollback returns to it.
        if let current, try ServingRecord.serving(site) == nil {
            _ = try? SiteLook(control).adoptUnrecorded(current)
        }
        let choice = ReleaseChoice(site: site, current: current?.selection ?? Selection([:]))
        let target = try CurrentFile(
            site, ReleaseUse.rewritten(current, try choice.resolve(words)))
        let verb = try verb()
        let change = try Switch(
            control, to: target, verb: verb, why: "swapctl deploy",
            replacing: Switch.Base(text: current?.text, link: link),
            // A server that is started outlives this process, and so does whoever reaps it.
            observe: observe, started: { _ in })
        let hold = try SignalHold()
        defer { hold.end() }
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
