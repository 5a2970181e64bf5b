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
        guard let message = try? Message.decode([UInt8](packet.utf8)),
            case .answer(let answer) = ControlAnswer.Arrival(message)
        else { return }
        var events: [ControlEvent] = []
        switch answer {
        case .status(let status): try show(GenerationStatus(status), &events)
        case .step(let step):
            var running = try #require(UpgradeStep(step))
            running.status = .running
            events += [.step(running), .waiting, .step(try #require(UpgradeStep(step)))]
        case .result(let result): show(result, &events)
        case .draining(let draining):
            events += [.draining(DrainProgress(generation: 7, draining)), .waiting]
        case .drained(let drained):
            events += [.drained(generation: 7, cut: drained.cut), .left(generation: 7)]
            show(drained)
        case .reloaded(let reloaded): show(reloaded)
        case .aborted(let aborted): show(aborted)
        case .malformed: break
        case .misplaced(let kind): Issue.record("\(kind)")
        }
        for isLive in [true, false] {
            var progress = ProgressText(isLive: isLive)
            for event in events {
                _ = progress.text(for: event, now: 1_000)
                _ = JSONValue.event(event).map(JSONLine.text)
            }
        }
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

    private static func show(_ result: Wire.UpgradeResult, _ events: inout [ControlEvent]) {
        guard case .unchanged(let unchanged) = result.outcome else { return }
        let serving = GenerationReference(
            generation: result.generation ?? 1, processID: result.processID.map { Int($0) })
        let failure = UpgradeFailure(unchanged)
        let outcome = UpgradeOutcome(
            service: "web", predecessor: serving, result: .unchanged(failure), serving: serving)
        _ = (outcome.summary, JSONLine.text(.result(outcome)))
        events += [.failed(failure), .committed(serving)]
    }

    private static func show(_ drained: Wire.Drained) {
        let serving = GenerationReference(generation: 7, processID: 4)
        for end in [DrainOutcome.End.left, .died, .timedOut] {
            for elapsed in [0, NumericKey.elapsed.range.upperBound] {
                let drain = DrainOutcome(end: end, cut: drained.cut, elapsedMicroseconds: elapsed)
                let report = DrainReport(
                    service: "web", verb: .drain,
                    drains: [.init(generation: serving, outcome: drain)],
                    serving: .generation(serving))
                _ = report.sentences
                _ = JSONLine.text(.result(report))
                var outcome = UpgradeOutcome(
                    service: "web", predecessor: serving, result: .committed(serving),
                    serving: serving)
                outcome.elapsedMicroseconds = elapsed
                outcome.drain = drain
                outcome.drainDeadline = .milliseconds(NumericKey.drain.range.upperBound)
                _ = outcome.summary
                _ = JSONLine.text(.result(outcome))
            }
        }
    }

    private static func show(_ reloaded: Wire.Reloaded) {
        let report = ReloadReport(
            service: "web",
            serving: GenerationReference(
                generation: reloaded.generation ?? 1,
                processID: reloaded.processID.map { Int($0) }),
            elapsedMicroseconds: reloaded.elapsed.wholeMicroseconds)
        _ = (report.sentence, JSONLine.text(.result(report)))
    }

    private static func show(_ aborted: Wire.Aborted) {
        let report = AbortReport(
            service: "web",
            serving: GenerationReference(
                generation: aborted.generation ?? 1, processID: aborted.processID.map { Int($0) }),
            successor: aborted.successor.map { Int($0) },
            elapsedMicroseconds: aborted.elapsed.wholeMicroseconds)
        _ = (report.sentences, JSONLine.text(.result(report)))
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
