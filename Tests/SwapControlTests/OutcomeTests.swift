// SPDX-License-Identifier: Apache-2.0

import SwapControl
import Testing

@Suite struct OutcomeTests {
    private let old = GenerationReference(generation: 7, processID: 4102)
    private let new = GenerationReference(generation: 8, processID: 4377)

    private func committed(_ drain: DrainOutcome?) -> UpgradeOutcome {
        var outcome = UpgradeOutcome(
            service: "web", predecessor: old, result: .committed(new), serving: new)
        outcome.drain = drain
        return outcome
    }

    @Test func committed_whenPredecessorLeft_isDone() {
        let outcome = committed(DrainOutcome(end: .left, cut: 0, elapsedMicroseconds: 5))
        #expect(outcome.exitCode == .done)
        #expect(
            outcome.summary == "web: generation 8 (pid 4377) is serving; generation 7 has left")
    }

    @Test(arguments: [
        DrainOutcome(end: .left, cut: 1, elapsedMicroseconds: 5),
        DrainOutcome(end: .died, cut: nil, elapsedMicroseconds: 5),
        DrainOutcome(end: .timedOut, cut: 0, elapsedMicroseconds: 5),
    ])
    func committed_whenPredecessorDidNotFinish_isCut(drain: DrainOutcome) {
        #expect(committed(drain).exitCode == .cut)
    }

    @Test func committed_whenDetached_saysUntilWhen() {
        var outcome = committed(nil)
        outcome.drainDeadline = .seconds(30)
        #expect(outcome.exitCode == .done)
        #expect(
            outcome.summary
                == "web: generation 8 (pid 4377) is serving; generation 7 leaves within 30 s")
    }

    @Test func unchanged_whenServerSaysWhoServes_namesIt() {
        let failure = UpgradeFailure(code: "exited", reason: "it ended")
        let outcome = UpgradeOutcome(
            service: "web", predecessor: old, result: .unchanged(failure), serving: old)
        #expect(outcome.exitCode == .unchanged)
        #expect(outcome.summary == "web: unchanged, generation 7 (pid 4102) is serving")
    }

    @Test func unchanged_whenNobodyKnowsWhoServes_saysWhereToAsk() {
        let failure = UpgradeFailure(code: "exited", reason: "it ended")
        let outcome = UpgradeOutcome(
            service: "web", predecessor: old, result: .unchanged(failure), serving: nil)
        #expect(outcome.summary.contains("`swapctl status web`"))
    }

    @Test func drain_whenConnectionsWereCut_isCut_butNotAfterStop() {
        let entry = DrainReport.Entry(
            generation: old, outcome: DrainOutcome(end: .left, cut: 2, elapsedMicroseconds: 5))
        func exitCode(_ verb: DrainReport.Verb) -> ExitCode {
            DrainReport(service: "web", verb: verb, drains: [entry], serving: .nobody)
                .exitCode
        }
        #expect(exitCode(.drain) == .cut)
        #expect(exitCode(.stop) == .done)
    }

    @Test func json_ofResult_hasEveryFieldInOneLine() {
        let line = JSONLine.text(.result(committed(nil)))
        #expect(
            line
                == #"{"code":null,"cut":null,"departure":null,"drain_us":null,"elapsed_us":0,"#
                + #""event":"result","exit":null,"exit_code":0,"generation":8,"left":[],"pid":4377,"#
                + #""previous_generation":7,"previous_pid":4102,"reason":null,"#
                + #""result":"committed","service":"web","signal":null,"stderr":[],"#
                + #""successor":4377,"warning":null}"#)
    }
}
