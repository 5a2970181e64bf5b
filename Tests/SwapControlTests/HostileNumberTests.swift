// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SwapControl
import Testing

/// Numbers from a peer, of any size: nothing that shows them may trap.
@Suite struct HostileNumberTests {
    private static let texts: [String] = {
        let powers = (0..<63).flatMap { exponent -> [Int] in
            let power = 1 << exponent
            return [power - 1, power]
        }
        return (powers + [Int.max, Int.max - 1]).map(String.init) + [
            "-0", "-1", "+1", "9223372036854775808", "-9223372036854775808",
            "1" + String(repeating: "0", count: 40), "", "x",
        ]
    }()

    @Test(arguments: NumericKey.all)
    func render_whateverNumberAKeyHas_survives(_ key: NumericKey) throws {
        for text in Self.texts {
            for kind in ["status", "step", "result", "draining", "drained", "reloaded", "aborted"] {
                try Self.render(kind, "\(key.name)=\(text)\n")
            }
        }
    }

    /// All keys at once, at the end of their range and beyond it.
    @Test func render_whenEveryNumberIsTheLargest_survives() throws {
        for value in [nil, Int.max] {
            let lines = NumericKey.all.map { "\($0.name)=\(value ?? $0.range.upperBound)\n" }
            for kind in ["status", "step", "result", "draining", "drained", "reloaded", "aborted"] {
                try Self.render(kind, lines.joined())
            }
        }
    }

    @Test(arguments: texts)
    func render_whateverAgeAndBacklog_survives(_ text: String) throws {
        try Self.render(
            "status",
            "STATE=draining\nCONNECTIONS=1\nOLDEST=\(text) http -\nLISTENER=tcp:*:1 bound \(text) x\n"
        )
    }

    /// Decodes a message as each verb does, and formats it in every way.
    private static func render(_ kind: String, _ lines: String) throws {
        let defaults = "SERVICE=web\nGENERATION=7\nPID=4\nSTATE=serving\nRESULT=unchanged\n"
        // The first value of a key counts.
        let packet = "SUCCESSION/1 \(kind)\n\(lines)STEP=ready\nSTATUS=ok\n\(defaults)"
        guard let message = try? Message.decode([UInt8](packet.utf8)) else { return }
        var events: [ControlEvent] = []
        if let status = GenerationStatus(message) { try show(status, &events) }
        if let step = UpgradeStep(message) {
            var running = step
            running.status = .running
            events += [.step(running), .waiting, .step(step)]
        }
        events += [
            .failed(UpgradeFailure(message)),
            .draining(DrainProgress(generation: 7, message)), .waiting,
            .drained(generation: 7, cut: message.number(.cut) ?? 0), .left(generation: 7),
        ]
        for isLive in [true, false] {
            var progress = ProgressText(isLive: isLive)
            for event in events {
                _ = progress.text(for: event, now: 1_000)
                _ = JSONValue.event(event).map(JSONLine.text)
            }
        }
        try showResults(message)
    }

    private static func show(_ status: GenerationStatus, _ events: inout [ControlEvent]) throws {
        let service = try Service.locate("web", runtimeDirectory: "/r")
        var elsewhere = status
        elsewhere.peer = .elsewhere
        for status in [status, elsewhere] {
            let report = StatusReport(
                service: service,
                entries: [.init(generation: status.generation, answer: .living(status))])
            _ = StatusTable.lines(report, isOneOfMany: true)
            _ = JSONValue.status(report).map(JSONLine.text)
            events.append(.asked(status))
        }
    }

    private static func showResults(_ message: Message) throws {
        let serving = GenerationReference(
            generation: message.number(.generation) ?? 1, processID: message.number(.processID))
        let elapsed = message.number(.elapsed) ?? 0
        let cut = message.number(.cut)
        for end in [DrainOutcome.End.left, .died, .timedOut] {
            let drain = DrainOutcome(end: end, cut: cut, elapsedMicroseconds: elapsed)
            let report = DrainReport(
                service: "web", verb: .drain,
                drains: [.init(generation: serving, outcome: drain)],
                serving: .generation(serving))
            _ = report.sentences
            _ = JSONLine.text(.result(report))
            var outcome = UpgradeOutcome(
                service: "web", predecessor: serving, result: .committed(serving), serving: serving)
            outcome.elapsedMicroseconds = elapsed
            outcome.drain = drain
            outcome.drainDeadline = message.duration(.drain)
            _ = outcome.summary
            _ = JSONLine.text(.result(outcome))
        }
        let failure = UpgradeOutcome(
            service: "web", predecessor: serving, result: .unchanged(UpgradeFailure(message)),
            serving: serving)
        _ = (failure.summary, JSONLine.text(.result(failure)))
        let reload = ReloadReport(service: "web", serving: serving, elapsedMicroseconds: elapsed)
        _ = (reload.sentence, JSONLine.text(.result(reload)))
        let abort = AbortReport(
            service: "web", serving: serving, successor: message.number(.successor),
            elapsedMicroseconds: elapsed)
        _ = (abort.sentences, JSONLine.text(.result(abort)))
    }
}

/// Durations of any size.
@Suite struct HostileDurationTests {
    @Test(arguments: [Int.min, -1, 0, 1, Int.max / 1_000, Int.max - 1, Int.max])
    func text_whateverLength_survives(_ value: Int) {
        #expect(!DurationText.seconds(microseconds: value).isEmpty)
        #expect(!DurationText.deadline(milliseconds: value).isEmpty)
    }

    @Test func wholeMilliseconds_ofMoreThanFits_isTheNearest() {
        #expect(Duration.seconds(Int64.max).wholeMilliseconds == .max)
        #expect(Duration.seconds(Int64.min + 1).wholeMilliseconds == .min)
        #expect(Duration.milliseconds(1_500).wholeMilliseconds == 1_500)
    }

    @Test func parse_whenMoreThanACentury_isNil() {
        #expect(DurationText.parse("800000h") == .seconds(2_880_000_000))
        #expect(DurationText.parse("900000h") == nil)
    }
}
