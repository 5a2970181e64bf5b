// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl
import SystemPackage

/// Keeps a server on the release that `current.conf` names; performs the actions of
/// ``WatchStateMachine``.
package final class Watcher {
    package enum Report {
        /// The watch has begun and the first inspection is done. If the named release does not serve,
        /// the reason has been reported before.
        case ready
        case note(String)
        case progress(ControlEvent)
        case outcome(SwitchOutcome)
        case problem(ControlError)
        case stopping
    }

    private let site: ReleaseSite
    private let control: ServerControl
    private let patience: Duration
    private let report: (Report) -> Void

    private let watchLock: SiteLock
    private let switchLock: SiteLock
    private let sources: WatchSources
    private var machine: WatchStateMachine
    private var patienceEnd: UInt64?
    private var retryTime: UInt64?
    private var backoffEnd: UInt64?
    /// The serving generation, and when this process first saw it.
    private var server: (generation: GenerationReference, since: UInt64)?
    /// A sentence about how the last server ended.
    private var lastServerEnd: String?
    private var why = "the watch began"
    private var inspection: SiteInspection?
    private var lastNote = ""

    /// Begins to watch; throws if another process watches the site.
    ///
    /// `startsAgain`: a server that has ended is started again. Throws if no command for that is known.
    package init(
        _ site: ReleaseSite, _ service: Service, _ options: SwitchOptions, patience: Duration,
        startsAgain: Bool = false, report: @escaping (Report) -> Void
    ) throws(ControlError) {
        self.site = site
        machine = WatchStateMachine(startsAgain: startsAgain)
        self.patience = patience
        self.report = report
        var control = ServerControl(site: site, service: service, options: options)
        try SiteInspection.checkPermissions(site)
        let recorded = try ServingRecord.serving(site)?.command
        if startsAgain, control.command(recorded).isEmpty {
            throw .wrongUsage(
                "the command that starts \(service.name) is not known: give it after --, as in "
                    + "`-- \(site.linkPath(SelectedFiles.program)) --service \(service.name)`")
        }
        watchLock = try SiteLock.takeOrFail(site, .watch, "watches current.conf")
        switchLock = try SiteLock.open(site, .change)
        sources = try WatchSources(site)
        control.signals = sources.signals
        self.control = control
    }

    /// Watches until SIGTERM or SIGINT arrives; a switch that has begun is finished first.
    ///
    /// Throws if the directory of the site is moved or removed.
    package func run() throws(ControlError) {
        defer { sources.close() }
        try carryOut(machine.handle(.changed))
        report(.ready)
        while true {
            var actions: [WatchStateMachine.Action] = []
            for event in try sources.wait(until: patienceEnd ?? retryTime ?? backoffEnd) {
                switch event {
                case .changed(let cause):
                    why = cause
                    actions += machine.handle(.changed)
                case .unlocked: actions += machine.handle(.unlocked)
                case .serverEnded(let status): actions += machine.handle(ended(status))
                case .stop: actions += machine.handle(.stopRequested)
                }
            }
            if let end = patienceEnd, Syscall.monotonicNanoseconds() >= end {
                patienceEnd = nil
                actions += machine.handle(.patienceEnded)
            }
            if let time = retryTime, Syscall.monotonicNanoseconds() >= time {
                retryTime = nil
                actions += machine.handle(.retryDue)
            }
            if let end = backoffEnd, Syscall.monotonicNanoseconds() >= end {
                backoffEnd = nil
                why = lastServerEnd ?? why
                actions += machine.handle(.backoffEnded)
            }
            if try !carryOut(actions) { return }
        }
    }

    private static let stableAfter: UInt64 = 60_000_000_000

    private func ended(_ status: ExitStatus?) -> WatchStateMachine.Event {
        let since = server?.since ?? 0
        let who =
            server.map { "\($0.generation) of \(control.service.name)" } ?? control.service.name
        lastServerEnd = "\(who) \(status.map(\.description) ?? "has ended")"
        server = nil
        return .serverEnded(
            wasStable: Syscall.monotonicNanoseconds() - since >= Self.stableAfter)
    }

    /// Tells the machine of a server that has ended since the last wait for events: what the inspection has
    /// found is then looked at as the end of that server, and inspected again.
    private func noteServerEnd() {
        // Its socket is closed a moment before the process has ended. One that drains lives on.
        let deadline = Syscall.monotonicNanoseconds() + 100_000_000
        guard server != nil,
            case .serverEnded(let status)? = sources.takeServerEnd(deadline: deadline)
        else { return }
        _ = machine.handle(ended(status))
        why = lastServerEnd ?? why
    }

    /// Follows the process that serves now, so that its end becomes an event.
    ///
    /// `isExpected`: a generation served a moment ago, and if none does any more its end is
    /// reported.
    private func followServer(isExpected: Bool) {
        let status: GenerationStatus?
        do {
            status = try control.serving()
        } catch {
            return
        }
        guard let status else {
            if isExpected { sources.follow(server: nil) }
            return
        }
        if server?.generation != status.serving {
            server = (status.serving, Syscall.monotonicNanoseconds())
        }
        do {
            // From the kernel: the pid a server reports is that of its own pid namespace.
            let pid = try site.rights.asCaller { () throws(ControlError) in
                try ControlClient(control.service).processID(ofGeneration: status.generation)
            }
            guard let pid else { return }
            sources.follow(server: try? ProcessHandle.open(pid))
        } catch {
            sources.follow(server: nil)
        }
    }

    /// Returns false when the watch is to end.
    @discardableResult
    private func carryOut(_ first: [WatchStateMachine.Action]) throws(ControlError) -> Bool {
        defer { switchLock.release() }
        var actions = first
        while !actions.isEmpty {
            let action = actions.removeFirst()
            if action == .stop {
                report(.stopping)
                return false
            }
            guard let event = perform(action) else { continue }
            actions += machine.handle(event)
        }
        return true
    }

    private func perform(_ action: WatchStateMachine.Action) -> WatchStateMachine.Event? {
        switch action {
        case .inspect:
            let finding = inspect()
            if case .down = finding { noteServerEnd() }
            if finding != .failed, finding != .busy { followServer(isExpected: finding == .same) }
            return .inspected(finding)
        case .switchOver:
            return switchOver()
        case .beginPatience:
            note("\(inspection?.problem ?? "current.conf cannot be read"); nothing was changed")
            let end = UInt64(max(0, patience.wholeMilliseconds)) * 1_000_000
            patienceEnd = Syscall.monotonicNanoseconds() + end
            return nil
        case .endPatience:
            patienceEnd = nil
            return nil
        case .beginRetry(let obstacle):
            let pause: UInt64 = obstacle == .lock ? 1_000_000_000 : 5_000_000_000
            retryTime = Syscall.monotonicNanoseconds() + pause
            return nil
        case .endRetry:
            retryTime = nil
            return nil
        case .reportServerEnd(let delay):
            reportServerEnd(delay)
            return nil
        case .beginBackoff(let delay):
            let pause = UInt64(max(0, delay.wholeMilliseconds)) * 1_000_000
            backoffEnd = Syscall.monotonicNanoseconds() + pause
            return nil
        case .endBackoff:
            backoffEnd = nil
            return nil
        case .restoreCurrent:
            restoreCurrent()
            return .finished
        case .recover: return recover()
        // `carryOut` returns before this.
        case .stop: return nil
        }
    }

    // MARK: - Actions

    private func reportServerEnd(_ delay: Duration?) {
        let next =
            switch delay {
            case nil:
                "start it, or name its release again by `swapctl release use` to have it started here; "
                    + "with --start the watch starts it by itself"
            case .zero?: "it is started again"
            case let delay?:
                "it is started again in "
                    + DurationText.seconds(microseconds: delay.wholeMilliseconds * 1_000)
            }
        note("\(lastServerEnd ?? control.service.name), and nobody serves: \(next)")
    }

    private func inspect() -> WatchStateMachine.Finding {
        do throws(ControlError) {
            // First, so that every change from here on causes another inspection.
            sources.follow()
            guard try switchLock.take() else {
                let holder =
                    SiteLock.holder(site, .change).map { "pid \($0)" } ?? "another process"
                note("\(holder) is changing the release; waiting for it")
                return .busy
            }
            if let done = try Recovery(control).run() { note(done) }
            let inspection = try SiteInspection.run(control)
            self.inspection = inspection
            if let note = inspection.note { self.note(note) }
            return inspection.finding
        } catch {
            problem(error)
            return .failed
        }
    }

    private func switchOver() -> WatchStateMachine.Event {
        guard let target = inspection?.current else { return .finished }
        do throws(ControlError) {
            let isRunning = try control.serving() != nil
            let change = try ReleaseSwitch(
                control, to: target, verb: isRunning ? .upgrade : .start, why: why,
                replacing: nil, wasServing: isRunning,
                observe: { [report] in report(.progress($0)) },
                started: { [sources] in sources.adopt($0) })
            let outcome = change.run()
            report(.outcome(outcome))
            lastNote = ""
            switch outcome.ending {
            case .unknown: return .outcomeUnknown
            case .committed:
                followServer(isExpected: outcome.entry.generation != nil)
                return .finished
            case .unchanged, .refused: return isRunning ? .finished : .startFailed
            }
        } catch {
            // It is not known whether a generation serves.
            problem(error)
            return .outcomeUnknown
        }
    }

    private func restoreCurrent() {
        let problem = inspection?.problem ?? "current.conf cannot be read"
        do throws(ControlError) {
            guard inspection?.canRestore == true, let record = try ServingRecord.serving(site)
            else {
                return note("\(problem); there is nothing to restore it from")
            }
            guard try CurrentFile.restore(record, insteadOf: inspection?.text, site) else { return }
            let entry = JournalEntry(
                time: Timestamp.now(), id: SwitchID.next(), verb: .upgrade,
                service: control.service.name, by: .current, from: record.selection, to: nil,
                result: .refused, generation: nil, processID: nil, elapsedMicroseconds: 0, why: why,
                reason: problem)
            try Journal.append(entry, to: site)
            report(
                .outcome(
                    SwitchOutcome(
                        ending: .refused, entry: entry, site: site, exitCode: .configuration,
                        warnings: [])))
        } catch {
            report(.problem(error))
        }
    }

    private func recover() -> WatchStateMachine.Event {
        do throws(ControlError) {
            if let done = try Recovery(control).run() { note(done) }
            return .finished
        } catch {
            problem(error)
            return .outcomeUnknown
        }
    }

    /// Reports an error; the same error again is not repeated.
    private func problem(_ error: ControlError) {
        if error.message == lastNote { return }
        lastNote = error.message
        report(.problem(error))
    }

    /// Reports a sentence; the same sentence again is not repeated.
    private func note(_ text: String) {
        if text == lastNote { return }
        lastNote = text
        report(.note(text))
    }
}
