// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SwapControl
import Testing

@Suite struct LostConnectionVerdictTests {
    private let predecessor = GenerationReference(generation: 7, processID: 4102)

    private func verdict(
        generation: Int, pid: Int32, state: StateWord = .serving, upgrades: Bool = false
    ) -> LostConnectionVerdict {
        var status = Wire.Status(generation: generation, processID: pid, state: state)
        if upgrades {
            status.upgrade = .init(successor: 99, elapsed: .zero, requestedBy: nil)
        }
        return LostConnectionVerdict(GenerationStatus(status), after: predecessor)
    }

    @Test func status_ofANewerGeneration_isCommittedWhenItServes() throws {
        #expect(verdict(generation: 8, pid: 4377) == .committed)
        #expect(verdict(generation: 8, pid: 4377, state: .starting) == .open)
    }

    @Test func status_ofThePredecessor_isUnchangedWhenNoUpgradeRuns() throws {
        #expect(verdict(generation: 7, pid: 4102) == .unchanged)
        #expect(verdict(generation: 7, pid: 4102, upgrades: true) == .open)
    }

    /// A manager has started the service again: the process is not the predecessor, though its number is the same.
    @Test(arguments: [1, 7])
    func status_ofAnotherProcessWithoutANewerNumber_isRestarted(generation: Int) throws {
        #expect(verdict(generation: generation, pid: 5000) == .restarted)
    }

    @Test func outcome_whenTheServerWasStartedAfresh_isNotCalledUnchanged() {
        let failure = UpgradeFailure(code: .restarted, reason: "it died")
        var outcome = UpgradeOutcome(
            service: "web", predecessor: predecessor, result: .unchanged(failure),
            serving: GenerationReference(generation: 1, processID: 5000))
        #expect(
            outcome.summary
                == "web: failed, generation 1 (pid 5000) was started in the place of generation 7 "
                + "(pid 4102) and is serving")
        #expect(outcome.exitCode == .unchanged)
        outcome.isInDoubt = true
        #expect(outcome.exitCode == .unknown)
    }
}
