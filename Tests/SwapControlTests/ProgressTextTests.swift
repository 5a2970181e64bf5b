// SPDX-License-Identifier: Apache-2.0

import SwapControl
import Testing

@Suite struct ProgressTextTests {
    private static let second: UInt64 = 1_000_000_000

    @Test func step_whenNotOnTerminal_isWrittenOnceDone() {
        var progress = ProgressText(isLive: false)
        let running = UpgradeStep(
            name: "ready", status: .running, elapsedMicroseconds: 0, detail: "at most 60 s")
        #expect(progress.text(for: .step(running), now: 0) == "")
        #expect(progress.text(for: .waiting, now: Self.second) == "")
        let done = UpgradeStep(
            name: "ready", status: .ok, elapsedMicroseconds: 840_000, detail: "at most 60 s")
        #expect(
            progress.text(for: .step(done), now: Self.second)
                == "  ready    at most 60 s                     ok         0.84 s\n")
        #expect(progress.closing() == "")
    }

    @Test func step_whenOnTerminal_isRewrittenWhileItRuns() {
        var progress = ProgressText(isLive: true)
        let running = UpgradeStep(
            name: "start", status: .running, elapsedMicroseconds: 0, detail: "pid 9")
        _ = progress.text(for: .step(running), now: 5 * Self.second)
        let text = progress.text(for: .waiting, now: 7 * Self.second)
        #expect(text.hasPrefix("\r  start    pid 9 "))
        #expect(text.hasSuffix(" 2.00 s\u{1B}[K"))
        #expect(progress.closing() == "\n")
    }

    @Test func failure_whileStepRuns_failsItAndShowsTheSuccessorsLastLines() {
        var progress = ProgressText(isLive: false)
        let running = UpgradeStep(
            name: "ready", status: .running, elapsedMicroseconds: 0, detail: "at most 60 s")
        _ = progress.text(for: .step(running), now: 0)
        let failure = UpgradeFailure(
            code: "exited", reason: "the successor ended before it was ready", successor: 4391,
            exitStatus: 1, standardError: ["config.toml:14: unknown key", "\u{1B}[31m"])
        let text = progress.text(for: .failed(failure), now: Self.second / 10)
        #expect(
            text == """
                  ready    at most 60 s                     failed     0.10 s   \
                the successor ended before it was ready; it exited with status 1
                           | config.toml:14: unknown key
                           | ?[31m

                """)
    }

    @Test func drain_whenProcessEndsWithoutDrained_isSaidToHaveDied() {
        var progress = ProgressText(isLive: false)
        let draining = DrainProgress(generation: 7, connections: 3, remainingMilliseconds: 1_000)
        _ = progress.text(for: .draining(draining), now: 0)
        #expect(
            progress.text(for: .left(generation: 7), now: Self.second)
                == "  drain    generation 7, 3 connections      died       1.00 s\n")
    }

    @Test func left_afterDrained_saysNothingMore() {
        var progress = ProgressText(isLive: false)
        let draining = DrainProgress(generation: 7, connections: 3, remainingMilliseconds: 1_000)
        _ = progress.text(for: .draining(draining), now: 0)
        #expect(
            progress.text(for: .drained(generation: 7, cut: 3), now: Self.second)
                == "  drain    generation 7, 3 connections cut  cut        1.00 s\n")
        #expect(progress.text(for: .left(generation: 7), now: Self.second) == "")
    }
}
