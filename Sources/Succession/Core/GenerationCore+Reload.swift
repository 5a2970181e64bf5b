// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem

/// The configuration is read again by the generation that serves.
extension GenerationCore {
    func makeReloading() -> Reloading {
        Reloading(
            reloadStreams, timeout: configuration.reloadTimeout,
            began: { [weak self] in self?.supervision?.reloading() },
            ended: { [weak self] in self?.reloadEnded($0) },
            accepted: { [number] asker in
                Wire.Reloaded(
                    generation: number, processID: ProcessEnvironment.processID,
                    elapsed: .since(asker.since))
            })
    }

    /// Has the application read its configuration, or says why not.
    func reload(_ asker: Reloading.Asker, within limit: Duration?) {
        handle(.reloadRequested(requests.add(.reload(asker, within: limit))))
    }

    func reload(_ request: GenerationLifecycle.Request) {
        guard case .reload(let asker, let limit) = requests.remove(request) else { return }
        reloading.ask(asker, within: limit)
    }

    func refuseReload(
        _ request: GenerationLifecycle.Request, _ refusal: GenerationLifecycle.Refusal,
        isForManager: Bool
    ) {
        guard case .reload(let asker, _) = requests.remove(request) else { return }
        let failure = failure(of: refusal, toDo: "reload")
        // Asked by a signal, it may be the manager that waits.
        if asker.session == nil, isForManager {
            supervision?.reloading()
            handle(.reloadEnded(failure))
        }
        asker.session?.refuse(failure)
        report(
            .warning, "no reload, asked for by \(asker.name): \(failure.reason)",
            .reloadFailed(code: failure.code.rawValue))
    }

    private func reloadEnded(_ outcome: Reloading.Outcome) {
        if !outcome.isLate { handle(.reloadEnded(outcome.failure)) }
        let by = outcome.askedBy.joined(separator: ", ")
        let late = outcome.isLate ? ", which nobody waits for any more," : ""
        if let failure = outcome.failure {
            report(
                .warning, "reload asked for by \(by)\(late) refused: \(failure.reason)",
                .reloadFailed(code: failure.code.rawValue))
        } else {
            report(
                .info, "reload asked for by \(by)\(late) accepted",
                .reloaded(duration: outcome.duration))
        }
    }

    /// Has the manager wait no longer.
    func announceReloadEnd(_ failure: Failure?) {
        let refusal = failure.map { "; reload refused: \($0.reason)" } ?? ""
        supervision?.reloaded(servingStatus() + refusal)
    }

    /// Refuses the requests that the application has, and ends its loops.
    func endReloads(hasSuccessor: Bool) {
        let reason =
            hasSuccessor
            ? "generation \(number + 1) has taken over meanwhile, with the configuration it found when it started: reload that one if the change came later"
            : "generation \(number) has been told to leave meanwhile"
        reloading.end(Failure(code: .notServing, reason: reason))
    }
}
