// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem

/// What the author of the server hears.
extension GenerationCore {
    func report(
        _ level: SuccessionEvent.Level, _ message: String, _ kind: SuccessionEvent.Kind = .note
    ) {
        configuration.onEvent(
            SuccessionEvent(
                level: level, service: service, generation: number,
                processID: ProcessEnvironment.processID, kind: kind, message: message))
    }

    func reportStart(of attempt: PredecessorDriver) {
        let by = attempt.requestedBy.map { "pid \($0)" } ?? "a signal or the application"
        report(
            .info,
            "upgrade, asked for by \(by): starting \(attempt.plan.executable ?? program.path)",
            .upgradeStarted(requestedBy: attempt.requestedBy))
    }

    func reportStep(_ step: Wire.Step) {
        guard step.isDone else { return }
        report(
            .debug, "upgrade: \(step.step) done in \(step.elapsed), \(step.detail)",
            .upgradeStep(name: step.step.rawValue, duration: step.elapsed))
    }

    func reportEnd(_ outcome: PredecessorDriver.Outcome) {
        let duration = attempt.map { Duration.since($0.startedAt) } ?? .zero
        if let failure = outcome.failure {
            let exit = outcome.exit.map { ", and \($0)" } ?? ""
            report(
                .error, "upgrade failed: \(failure.reason)\(exit); this generation serves on",
                .upgradeFailed(
                    code: failure.code.rawValue, successor: outcome.successor, duration: duration))
        } else {
            report(
                .info, "generation \(number + 1) (pid \(outcome.successor)) has taken over",
                .handedOver(
                    successor: outcome.successor, acceptGap: outcome.acceptGap,
                    duration: duration))
        }
    }

    /// Says how many connections are open, as often as the configuration wants it, until the drain.
    func sample() {
        guard let interval = configuration.sampleInterval, !lifecycle.isDraining else { return }
        let count = connections.count
        report(.debug, "\(count) connections", .sample(connections: count))
        _ = ControlThread.schedule(after: max(interval, .milliseconds(10))) { [weak self] in
            self?.sample()
        }
    }
}
