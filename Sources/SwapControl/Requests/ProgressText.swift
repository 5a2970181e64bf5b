// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem

/// Formats the progress of a request for people: takes events, returns text for standard error.
///
/// On a terminal the line of the running step is rewritten in place; elsewhere a line is written when a step has ended.
package struct ProgressText {
    private let isLive: Bool
    /// The running step, and when it began in monotonic nanoseconds.
    private var running: (step: UpgradeStep, since: UInt64)?
    private var drain: (progress: DrainProgress, since: UInt64)?

    package init(isLive: Bool) {
        self.isLive = isLive
    }

    /// The text to write now; often empty.
    package mutating func text(for event: ControlEvent, now: UInt64) -> String {
        switch event {
        case .asked(let status): return line(Self.opening(status))
        case .step(let step): return take(step, now)
        case .committed: return ""
        case .failed(let failure): return fail(failure, now)
        case .draining(let progress):
            drain = (progress, drain?.since ?? now)
            return live(now)
        case .drained(let generation, let cut): return finishDrain(generation, cut, now)
        case .left(let generation): return endDrain(generation, now)
        case .waiting: return live(now)
        }
    }

    /// Ends the line that is being rewritten, before other text is written.
    package mutating func closing() -> String {
        let isOpen = isLive && (running != nil || drain != nil)
        (running, drain) = (nil, nil)
        return isOpen ? "\n" : ""
    }

    // MARK: - Steps

    private mutating func take(_ step: UpgradeStep, _ now: UInt64) -> String {
        if step.status == .running {
            // The step began before the event arrived.
            let elapsed = UInt64(max(0, step.elapsedMicroseconds)).multipliedReportingOverflow(
                by: 1_000)
            running = (
                step,
                elapsed.overflow || elapsed.partialValue > now ? 0 : now - elapsed.partialValue
            )
            return live(now)
        }
        running = nil
        return line(Self.row(step, step.status == .ok ? "ok" : "failed", step.elapsedMicroseconds))
    }

    private mutating func fail(_ failure: UpgradeFailure, _ now: UInt64) -> String {
        var step = UpgradeStep(name: "upgrade", status: .failed, elapsedMicroseconds: 0, detail: "")
        if let running {
            step = running.step
            step.elapsedMicroseconds = Self.microseconds(from: running.since, to: now)
        }
        running = nil
        var reason = failure.reason.terminalSafe
        if let end = failure.end, !reason.contains(end) { reason += "; it \(end)" }
        let failed = Self.row(step, "failed", step.elapsedMicroseconds)
        return line("\(failed)   \(reason)")
            + failure.standardError.map { "           | \($0.terminalSafe)\n" }.joined()
    }

    // MARK: - Drain

    private mutating func finishDrain(_ generation: Int, _ cut: Int, _ now: UInt64) -> String {
        let elapsed = drain.map { Self.microseconds(from: $0.since, to: now) } ?? 0
        drain = nil
        let step = UpgradeStep(
            name: "drain", status: .ok, elapsedMicroseconds: elapsed,
            detail: "generation \(generation)"
                + (cut > 0 ? ", \(counted(cut, "connection")) cut" : ""))
        return line(Self.row(step, cut > 0 ? "cut" : "ok", elapsed))
    }

    /// The process ended during its drain, without a report of the connections it had left.
    private mutating func endDrain(_ generation: Int, _ now: UInt64) -> String {
        guard let (progress, since) = drain, progress.generation == generation else { return "" }
        drain = nil
        let count = counted(progress.connections, "connection")
        let step = UpgradeStep(
            name: "drain", status: .failed, elapsedMicroseconds: 0,
            detail: "generation \(generation), \(count)")
        return line(Self.row(step, "died", Self.microseconds(from: since, to: now)))
    }

    // MARK: - Lines

    private func live(_ now: UInt64) -> String {
        guard isLive else { return "" }
        if let (progress, since) = drain {
            let left = DurationText.deadline(milliseconds: progress.remainingMilliseconds)
            let count = counted(progress.connections, "connection")
            let step = UpgradeStep(
                name: "drain", status: .running, elapsedMicroseconds: 0,
                detail: "generation \(progress.generation), \(count)")
            return Self.rewriting(
                Self.row(step, "at most \(left)", Self.microseconds(from: since, to: now)))
        }
        guard let running else { return "" }
        let elapsed = Self.microseconds(from: running.since, to: now)
        return Self.rewriting(Self.row(running.step, "…", elapsed))
    }

    private func line(_ text: String) -> String {
        (isLive ? Self.rewriting(text) : text) + "\n"
    }

    /// Text that replaces the current line: carriage return, and erase to the end of the line.
    private static func rewriting(_ text: String) -> String { "\r\(text)\u{1B}[K" }

    private static func row(_ step: UpgradeStep, _ status: String, _ elapsed: Int) -> String {
        let time = DurationText.seconds(microseconds: elapsed)
        return
            "  \(step.name.terminalSafe.padded(to: 8)) \(step.detail.terminalSafe.padded(to: 32)) "
            + "\(status.padded(to: 8)) \(time.padded(to: 8, .right))"
    }

    private static func opening(_ status: GenerationStatus) -> String {
        let listeners = status.listeners.prefix(4).map { entry in
            (entry.name.isEmpty ? "" : "\(entry.name)=") + entry.what
        }
        let missing = status.listenerCount - listeners.count
        let words = listeners + (missing > 0 ? ["and \(counted(missing, "more listener"))"] : [])
        let tail = words.isEmpty ? "" : " " + words.joined(separator: " ")
        return "\(status.service): \(status.serving) is \(status.state)\(tail)".terminalSafe
    }

    private static func microseconds(from: UInt64, to: UInt64) -> Int {
        to > from ? Int(clamping: (to - from) / 1_000) : 0
    }
}

extension UpgradeFailure {
    /// How the successor ended, as a predicate: `exited with status 3`; nil: it has not.
    package var end: String? {
        if let exitStatus { return "exited with status \(exitStatus)" }
        if let signal {
            return
                "was killed by signal \(signal) (\(ExitStatus.signalName(Int32(clamping: signal))))"
        }
        return nil
    }
}

extension ProgressText {
    /// The text to write for an event that happens now.
    package mutating func text(for event: ControlEvent) -> String {
        text(for: event, now: Clock.now)
    }
}
