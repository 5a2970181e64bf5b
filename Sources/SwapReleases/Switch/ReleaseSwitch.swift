// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// Performs the actions of a ``SwitchStateMachine``; the caller holds the lock of the switch.
final class ReleaseSwitch {
    let site: ReleaseSite
    let control: ServerControl
    let target: CurrentFile
    let verb: JournalEntry.Verb
    let why: String
    /// What `current.conf` was when it was read.
    ///
    /// The switch replaces it only if it is still that.
    struct Base {
        /// Nil: there was no file.
        var text: [UInt8]?
        /// Nil: it was not a symbolic link.
        var link: CurrentLink?
    }

    /// Nil: `current.conf` names the target already.
    private let base: Base?
    private var writesCurrent: Bool { base != nil }
    private let serving: ServingRecord?
    /// Where the links of the target lead before the switch.
    private let linksBefore: SelectedFiles
    private let id: String
    private let start: UInt64
    private let time: String
    private let observe: (ControlEvent) -> Void
    private let started: (ProcessHandle) -> Void

    private var reason: String?
    private var exitCode = ExitCode.unchanged
    private var generation: GenerationReference?
    private var warnings: [String] = []
    private var entry: JournalEntry?
    private var hasWrittenCurrent = false
    private var leaving: Upgrade.Leaving?
    /// Whether the target serves already: the switch then only restores names, without an upgrade.
    private let isServed: Bool
    /// Whether a generation served when the switch was decided.
    private let wasServing: Bool

    init(
        _ control: ServerControl, to target: CurrentFile, verb: JournalEntry.Verb, why: String,
        replacing base: Base?, isServed: Bool = false, wasServing: Bool = false,
        observe: @escaping (ControlEvent) -> Void, started: @escaping (ProcessHandle) -> Void
    ) throws(ControlError) {
        site = control.site
        self.control = control
        self.target = target
        self.verb = verb
        self.why = why
        self.base = base
        self.isServed = isServed
        self.wasServing = wasServing
        self.observe = observe
        self.started = started
        serving = try ServingRecord.serving(site)
        linksBefore = Links(site).targets(of: target.selection)
        id = SwitchID.next()
        start = Syscall.monotonicNanoseconds()
        time = Timestamp.now()
    }

    /// Performs the whole switch, and what restores the site if it fails.
    func run() -> SwitchOutcome {
        var machine = SwitchStateMachine(writesCurrent: writesCurrent)
        var action = machine.begin()
        while true {
            if case .finish(let ending) = action { return outcome(ending) }
            control.options.onStep("before \(Self.word(action))")
            let event = perform(action)
            control.options.onStep("after \(Self.word(action))")
            // Nil: the event is not possible in this state. The switch ends here, and Recovery decides.
            guard let next = machine.handle(event) else { return outcome(.unknown) }
            action = next
        }
    }

    private func perform(_ action: SwitchStateMachine.Action) -> SwitchStateMachine.Event {
        switch action {
        case .check: return check()
        case .writeIntent: return step { () throws(ControlError) in try record().writeIntent(site) }
        case .writeCurrent: return step { () throws(ControlError) in try writeCurrent() }
        case .pointLinks: return pointLinks()
        case .upgradeServer: return upgradeServer()
        case .commit:
            return step { () throws(ControlError) in try ServingRecord.commitIntent(site) }
        case .restoreLinks:
            return cleanUp { () throws(ControlError) in
                let before = serving?.selection ?? linksBefore
                try Links(site).point(to: before)
                Links(site).remove(target.selection, keeping: before)
            }
        case .restoreCurrent:
            return cleanUp { () throws(ControlError) in try restoreCurrent() }
        case .journal(let result):
            return cleanUp { () throws(ControlError) in try journal(result) }
        case .removeIntent:
            return cleanUp { () throws(ControlError) in try ServingRecord.removeIntent(site) }
        // `run` returns before this.
        case .finish: return .done
        }
    }

    /// Performs a step whose failure fails the switch.
    private func step(
        _ body: () throws(ControlError) -> Void
    ) -> SwitchStateMachine.Event {
        do {
            try body()
            return .done
        } catch {
            reason = error.message
            exitCode = error.exitCode
            return .failed
        }
    }

    /// Performs a step whose failure is a warning.
    private func cleanUp(
        _ body: () throws(ControlError) -> Void
    ) -> SwitchStateMachine.Event {
        do {
            try body()
            return .done
        } catch {
            warnings.append(error.message)
            return .failed
        }
    }

    // MARK: - Steps

    private func check() -> SwitchStateMachine.Event {
        let shown = ShownStep("check", target.selection.description(in: site), observe)
        let event = step { () throws(ControlError) in
            try target.check()
            try Links(site).check(target.selection)
            if let line = control.options.check {
                let command = CheckCommand(line: line, timeout: control.options.checkTimeout)
                try command.run(target.selection, in: site)
            }
        }
        return shown.end(event)
    }

    private func pointLinks() -> SwitchStateMachine.Event {
        let names = target.selection.order.map { "\(site.name).\($0)" }
        let shown = ShownStep("links", names.joined(separator: ", "), observe)
        return shown.end(
            step { () throws(ControlError) in
                try Links(site).point(to: target.selection)
            })
    }

    private func writeCurrent() throws(ControlError) {
        // Unchanged text: a symbolic link stays one.
        if base?.text == target.text { return }
        guard try CurrentFile.write(target.text, insteadOf: base?.text, site) else {
            throw .busy(
                "\(site.currentPath) was changed by another process meanwhile, and this switch has "
                    + "changed nothing; read it, and try again")
        }
        hasWrittenCurrent = true
    }

    /// Restores the text of the release that serves, or the text before this switch if that names the
    /// same files.
    private func restoreCurrent() throws(ControlError) {
        if let base {
            let before = base.text.flatMap { try? CurrentFile(site, $0).selection }
            // A rollback that fails changes nothing.
            if verb != .rollback, let serving, let text = base.text, before != serving.selection {
                // `release use` names a release by the links too.
                try Links(site).point(to: serving.selection)
                if let before { Links(site).remove(before, keeping: serving.selection) }
                let named = hasWrittenCurrent ? target.text : text
                _ = try CurrentFile.restore(serving, insteadOf: named, site)
                return
            }
            // Nothing was written: there is nothing to restore.
            guard hasWrittenCurrent else { return }
            if let text = base.text ?? serving.map({ Array($0.text.utf8) }) {
                _ = try CurrentFile.restore(
                    text, link: base.link, insteadOf: target.text, site)
            } else {
                try CurrentFile.remove(saying: target.text, site)
            }
        } else if let serving {
            _ = try CurrentFile.restore(serving, insteadOf: target.text, site)
        }
    }

    private func upgradeServer() -> SwitchStateMachine.Event {
        let onStep = control.options.onStep
        let observe = observe
        let answer: ServerControl.Answer
        do throws(ControlError) {
            let status = try control.serving()
            if isServed, let status {
                generation = status.serving
                return .done
            }
            if status == nil {
                try control.checkCommand(serving)
                let command = control.command(serving?.command)
                if command.isEmpty {
                    if wasServing { throw serverHasEnded() }
                    // The service manager starts the server by the links: they are all that is needed.
                    return .done
                }
                let shown = ShownStep("start", command.first ?? "", observe)
                answer = try ServerStart(control: control, command: command).run(
                    id, started: started)
                if case .serves = answer { _ = shown.end(.done) } else { _ = shown.end(.failed) }
            } else {
                answer = try control.upgrade(id) { event in
                    observe(event)
                    if case .step(let step) = event {
                        onStep("upgrade \(step.name) \(step.status.rawValue)")
                    }
                }
            }
        } catch {
            reason = error.message
            exitCode = error.exitCode
            // A server that does not answer says nothing about the release: a watch tries again later,
            // a deployment or a rollback ends here.
            if error.code == "timeout", !writesCurrent { return .unknown }
            return .failed
        }
        switch answer {
        case .serves(let serving, let leaving, let warning):
            generation = serving
            self.leaving = leaving
            if let warning { warnings.append(warning) }
            if let other = control.otherRelease(than: target.selection.program) {
                warnings.append(other)
                reason = other
                return .unknown
            }
            return .done
        case .unchanged(let why, let serving):
            reason = why
            generation = serving
            return .failed
        case .unknown(let why):
            reason = why
            return .unknown
        }
    }

    /// The server that was to be upgraded has ended during the switch: the release has never served.
    private func serverHasEnded() -> ControlError {
        .noSuchService(
            "the server of \(control.service.name) has ended during the switch, and no command that "
                + "starts it is known: give the command after --")
    }

    // MARK: - Records

    private func record() -> ServingRecord {
        ServingRecord(
            id: id, verb: verb, service: control.service.name,
            runtimeDirectory: control.service.runtimeDirectory, name: site.name,
            selection: target.selection, text: String(decoding: target.text, as: UTF8.self),
            link: writesCurrent ? nil : CurrentLink.read(site),
            command: control.command(serving?.command), from: serving?.selection,
            links: serving == nil ? linksBefore : nil, time: time, why: why,
            replaced: base.map { ServingRecord.ReplacedText(text: $0.text, link: $0.link) })
    }

    private func journal(_ result: JournalEntry.Result) throws(ControlError) {
        let entry = record().entry(
            result, serving: generation ?? (try? control.serving())?.serving, elapsed: elapsed,
            reason: result == .committed ? nil : reason)
        self.entry = entry
        try Journal.append(entry, to: site)
        if result == .committed, let old = serving?.selection {
            Links(site).remove(old, keeping: target.selection)
        }
    }

    private var elapsed: Int { Int((Syscall.monotonicNanoseconds() - start) / 1_000) }

    private func outcome(_ ending: SwitchStateMachine.Ending) -> SwitchOutcome {
        let result =
            entry
            ?? record().entry(
                .unchanged, serving: generation, elapsed: elapsed, reason: reason)
        return SwitchOutcome(
            ending: ending, entry: result, site: site,
            exitCode: exitCode(ending), warnings: warnings, leaving: leaving)
    }

    private func exitCode(_ ending: SwitchStateMachine.Ending) -> ExitCode {
        switch ending {
        case .committed: .done
        case .unknown: .unknown
        case .unchanged, .refused: exitCode
        }
    }

    private static func word(_ action: SwitchStateMachine.Action) -> String {
        switch action {
        case .check: "check"
        case .writeIntent: "intent"
        case .writeCurrent: "current"
        case .pointLinks: "links"
        case .upgradeServer: "ask"
        case .commit: "commit"
        case .restoreLinks: "return links"
        case .restoreCurrent: "return current"
        case .journal: "journal"
        case .removeIntent: "remove intent"
        case .finish: "finish"
        }
    }
}
