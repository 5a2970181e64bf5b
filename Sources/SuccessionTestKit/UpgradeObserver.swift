// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import Synchronization

/// Follows one upgrade by its events, and kills one side when the phase has come.
final class UpgradeObserver: Sendable {
    private struct State {
        var hasBegun = false
        var steps: [UpgradeStep] = []
        var successor: ProcessHandle?
        var killed: ProcessHandle?
    }

    private let processes: ServerProcesses
    private let predecessor: ProcessHandle
    /// The processes that were there before.
    private let before: Set<Int32>
    private let kill: (side: UpgradeSide, phase: UpgradePhase)?
    private let phaseBegan: @Sendable (UpgradePhase) -> Void
    private let state = Mutex(State())

    init(
        _ processes: ServerProcesses, predecessor: ProcessHandle,
        kill: (side: UpgradeSide, phase: UpgradePhase)?,
        phaseBegan: @escaping @Sendable (UpgradePhase) -> Void
    ) {
        self.processes = processes
        self.predecessor = predecessor
        self.kill = kill
        self.phaseBegan = phaseBegan
        before = Set(processes.living().map(\.processID))
    }

    /// Whether the server was asked, so that something became of it.
    var hasBegun: Bool { state.withLock { $0.hasBegun } }
    var steps: [UpgradeStep] { state.withLock { $0.steps } }
    var killed: ProcessHandle? { state.withLock { $0.killed } }

    /// Called in order, on the thread of the operation, as soon as the server has reported.
    func observe(_ event: ServiceEvent) {
        switch event.kind {
        case .asked:
            state.withLock { $0.hasBegun = true }
            // This thread races with the upgrade.
            if kill != nil { preferShortSlices() }
        case .step: if let step = event.step { observe(step) }
        case .committed: began(.drain)
        default: break
        }
    }

    private func observe(_ step: UpgradeStep) {
        state.withLock { $0.steps.append(step) }
        guard let phase = UpgradePhase(rawValue: step.name) else { return }
        switch (phase, step.status) {
        case (_, .running): began(phase)
        case (.start, .ok):
            findSuccessor(step.detail)
            // Before, there is no process to be killed.
            if kill?.phase == .start { killNow(.successor) }
        case (_, .ok), (_, .failed): break
        }
    }

    private func began(_ phase: UpgradePhase) {
        phaseBegan(phase)
        guard kill?.phase == phase else { return }
        killNow(phase == .start ? .predecessor : nil)
    }

    /// Kills what is to be killed, if that is the side; nil: either.
    private func killNow(_ side: UpgradeSide?) {
        guard let kill, side == nil || side == kill.side else { return }
        let process =
            switch kill.side {
            case .predecessor: predecessor
            case .successor: state.withLock { $0.successor }
            }
        guard let process, (try? process.signal(Signals.kill)) != nil else { return }
        state.withLock { $0.killed = process }
    }

    /// The server reports the pid as `pid 4711`, which takes no time to find; if it should write something else, the
    /// new process is looked for.
    private func findSuccessor(_ detail: String) {
        let words = detail.split(separator: " ")
        var found: ProcessHandle?
        if words.count == 2, let pid = Int(words[1]) {
            found = processes.process(pid, childOf: predecessor)
        }
        found =
            found
            ?? processes.living().filter { !before.contains($0.processID) }
            .min { startTime($0) < startTime($1) }
        state.withLock { $0.successor = found }
    }

    private func startTime(_ process: ProcessHandle) -> UInt64 {
        ProcessStatus.of(process.processID)?.startTime ?? .max
    }
}
