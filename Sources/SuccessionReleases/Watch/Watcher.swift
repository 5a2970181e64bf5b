// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl
import SystemPackage

/// Keeps a server serving what `current.conf` names: carries out what ``WatchStateMachine`` says.
package final class Watcher {
    package enum Report {
        /// It watches, and what is named serves, or why not has been told.
        case ready
        case note(String)
        case progress(ControlEvent)
        case outcome(SwitchOutcome)
        case problem(ControlError)
        case leaving
    }

    private let site: ReleaseSite
    private let control: ServerControl
    private let patience: Duration
    private let report: (Report) -> Void

    private let watchLock: SiteLock
    private let door: SiteLock
    private let sources: WatchSources
    private var machine: WatchStateMachine
    private var patienceEnd: UInt64?
    private var retryTime: UInt64?
    private var restEnd: UInt64?
    /// Who serves, and since when that is known here.
    private var server: (who: GenerationReference, since: UInt64)?
    /// How the last server ended.
    private var lastEnd: String?
    private var why = "the watch began"
    /// What the last look found.
    private var found: SiteLook.Found?
    private var lastNote = ""

    /// Begins to watch; nobody else may watch the same site.
    ///
    /// `startsAgain`: a server that has died is started again, for which it must be known how.
    package init(
        _ site: ReleaseSite, _ service: Service, _ options: SwitchOptions, patience: Duration,
        startsAgain: Bool = false, report: @escaping (Report) -> Void
    ) throws(ControlError) {
        self.site = site
        machine = WatchStateMachine(startsAgain: startsAgain)
        self.patience = patience
        self.report = report
        control = ServerControl(site: site, service: service, options: options)
        try SiteLook.checkPermissions(site)
        let recorded = try ServingRecord.serving(site)?.command
        if startsAgain, control.command(recorded).isEmpty {
            throw .wrongUsage(
                "how \(service.name) is started is not known: give the command after --, as in "
                    + "`-- \(site.linkPath(Selection.program)) --service \(service.name)`")
        }
        watchLock = try SiteLock.takeOrFail(site, .watch, "watches current.conf")
        door = try SiteLock.door(site, .change)
        sources = try WatchSources(site)
    }

    /// Returns when a signal asked it to leave; a switch under way is finished first.
    ///
    /// Throws if the directory is no longer there.
    package func run() throws(ControlError) {
        defer { sources.close() }
        try carryOut(machine.handle(.changed))
        report(.ready)
        while true {
            var actions: [WatchStateMachine.Action] = []
            for event in try sources.wait(until: patienceEnd ?? retryTime ?? restEnd) {
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
            if let end = restEnd, Syscall.monotonicNanoseconds() >= end {
                restEnd = nil
                why = lastEnd ?? why
                actions += machine.handle(.restOver)
            }
            if try !carryOut(actions) { return }
        }
    }

    private static let stableAfter: UInt64 = 60_000_000_000

    private func ended(_ status: ExitStatus?) -> WatchStateMachine.Event {
        let since = server?.since ?? 0
        let who = server.map { "\($0.who) of \(control.service.name)" } ?? control.service.name
        lastEnd = "\(who) \(status.map(\.description) ?? "has ended")"
        server = nil
        return .serverEnded(
            wasStable: Syscall.monotonicNanoseconds() - since >= Self.stableAfter)
    }

    /// Has the end of who serves now be told; `isExpected`: somebody has served a moment ago.
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
        if server?.who != status.serving {
            server = (status.serving, Syscall.monotonicNanoseconds())
        }
        do {
            // As the kernel says: what it says of itself is its number in its own pid namespace.
            let pid = try site.rights.asCaller { () throws(ControlError) in
                try ControlClient(control.service).processID(ofGeneration: status.generation)
            }
            guard let pid else { return }
            sources.follow(server: try? ProcessHandle.open(pid))
        } catch {
            sources.follow(server: nil)
        }
    }

    /// False: it is to leave.
    @discardableResult
    private func carryOut(_ first: [WatchStateMachine.Action]) throws(ControlError) -> Bool {
        defer { door.release() }
        var actions = first
        while !actions.isEmpty {
            let action = actions.removeFirst()
            if action == .leave {
                report(.leaving)
                return false
            }
            guard let event = perform(action) else { continue }
            actions += machine.handle(event)
        }
        return true
    }

    private func perform(_ action: WatchStateMachine.Action) -> WatchStateMachine.Event? {
        switch action {
        case .look:
            let finding = look()
            if finding != .failed, finding != .busy { followServer(isExpected: finding == .same) }
            return .looked(finding)
        case .switchOver:
            return switchOver()
        case .beginPatience:
            note("\(found?.problem ?? "current.conf cannot be read"); nothing was changed")
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
        case .tellEnd(let delay):
            tellEnd(delay)
            return nil
        case .beginRest(let delay):
            let pause = UInt64(max(0, delay.wholeMilliseconds)) * 1_000_000
            restEnd = Syscall.monotonicNanoseconds() + pause
            return nil
        case .endRest:
            restEnd = nil
            return nil
        case .putBack:
            putBack()
            return .finished
        case .recover: return recover()
        // The loop ends before.
        case .leave: return nil
        }
    }

    // MARK: - Actions

    private func tellEnd(_ delay: Duration?) {
        let next =
            switch delay {
            case nil:
                "start it, or run `swapctl release use` of what is named to have it started here; "
                    + "with --start a watch does so by itself"
            case .zero?: "it is started again"
            case let delay?:
                "it is started again in "
                    + DurationText.seconds(microseconds: delay.wholeMilliseconds * 1_000)
            }
        note("\(lastEnd ?? control.service.name), and nobody serves: \(next)")
    }

    private func look() -> WatchStateMachine.Finding {
        do throws(ControlError) {
            // First: what changes from here on causes another look.
            sources.follow()
            guard try door.take() else {
                let holder = SiteLock.holder(site, .change).map { "pid \($0)" } ?? "somebody"
                note("\(holder) is changing the release; waiting for it")
                return .busy
            }
            if let done = try Recovery(control).run() { note(done) }
            let found = try SiteLook(control).look()
            self.found = found
            if let note = found.note { self.note(note) }
            return found.finding
        } catch {
            problem(error)
            return .failed
        }
    }

    private func switchOver() -> WatchStateMachine.Event {
        guard let target = found?.current else { return .finished }
        do throws(ControlError) {
            let isRunning = try control.serving() != nil
            let change = try Switch(
                control, to: target, verb: isRunning ? .upgrade : .start, why: why,
                replacing: nil, observe: { [report] in report(.progress($0)) },
                started: { [sources] in sources.adopt($0) })
            let outcome = change.run()
            report(.outcome(outcome))
            lastNote = ""
            switch outcome.ending {
            case .unknown: return .leftInDoubt
            case .committed:
                followServer(isExpected: outcome.entry.generation != nil)
                return .finished
            case .unchanged, .refused: return isRunning ? .finished : .startFailed
            }
        } catch {
            // Whether anybody serves could not be told.
            problem(error)
            return .leftInDoubt
        }
    }

    private func putBack() {
        let problem = found?.problem ?? "current.conf cannot be read"
        do throws(ControlError) {
            guard found?.canBePutBack == true, let record = try ServingRecord.serving(site) else {
                return note("\(problem); there is nothing it could return to")
            }
            guard try CurrentFile.putBack(record, insteadOf: found?.text, site) else { return }
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
            return .leftInDoubt
        }
    }

    /// One that stays is told once, however often it is met.
    private func problem(_ error: ControlError) {
        if error.message == lastNote { return }
        lastNote = error.message
        report(.problem(error))
    }

    /// The same thing is told once.
    private func note(_ text: String) {
        if text == lastNote { return }
        lastNote = text
        report(.note(text))
    }
}
