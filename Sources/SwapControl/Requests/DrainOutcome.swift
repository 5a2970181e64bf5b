// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem

/// How the drain of one generation ended.
public struct DrainOutcome: Sendable, Hashable {
    /// The raw values are those of `departure` in the output for programs.
    public enum End: String, Sendable {
        /// The generation drained, reported it, and its process has ended.
        case left
        /// The process ended without a report: the connections it had are lost.
        case died
        /// The process still runs 15 s after its deadline.
        case timedOut = "stays"
    }

    /// How the drain ended.
    public package(set) var end: End
    /// Connections that were closed at the deadline; nil: the generation did not report it.
    public package(set) var cut: Int?
    package var elapsedMicroseconds: Int

    /// The time from the request to the end.
    public var elapsed: Duration { .microseconds(elapsedMicroseconds) }

    package init(end: End, cut: Int?, elapsedMicroseconds: Int) {
        self.end = end
        self.cut = cut
        self.elapsedMicroseconds = elapsedMicroseconds
    }

    /// Whether the generation left and no connection was cut.
    public var isClean: Bool { end == .left && (cut ?? 0) == 0 }

    /// A predicate for a sentence: `has left`, `has left, 3 connections were cut`.
    package var sentence: String {
        switch end {
        case .left:
            guard let cut, cut > 0 else { return "has left" }
            return "has left, \(counted(cut, "connection")) \(cut == 1 ? "was" : "were") cut"
        case .died: return "ended before it had finished its connections"
        case .timedOut: return "has not left, though its deadline is past"
        }
    }
}

extension ControlConnection {
    /// How long after its deadline a generation may still run.
    private static let grace = 15_000

    /// Follows the drain of a generation until its process has ended.
    ///
    /// Throws a refusal, an interruption, and a timeout before the first answer; a later timeout is an outcome.
    func followDrain(
        of generation: Int, progressMode: ProgressMode, _ observe: (ControlEvent) -> Void
    ) throws(ControlError) -> DrainOutcome {
        let start = Clock.now
        // The process is alive here: it has answered, or its queue has accepted the connection.
        let process = process
        var deadline = Clock.after(milliseconds: Self.grace)
        var last: DrainProgress?
        var cut: Int?
        var isGone = false
        do {
            while let answer = try next(deadline: deadline, progressMode: progressMode, observe) {
                switch answer {
                case .draining(let draining):
                    let progress = DrainProgress(generation: generation, draining)
                    let end = Clock.after(
                        milliseconds: progress.remainingMilliseconds.addingClamped(Self.grace))
                    // A deadline can be brought forward. A server that repeats a past deadline does not extend it.
                    deadline = last == nil ? end : min(deadline, end)
                    last = progress
                    observe(.draining(progress))
                case .drained(let drained):
                    cut = drained.cut
                    observe(.drained(generation: generation, cut: drained.cut))
                case .status, .step, .result, .aborted, .reloaded, .malformed, .misplaced: break
                }
            }
            // The connection ends before the kernel has released the memory of the process, which takes long where
            // there is much.
            isGone =
                try process.map { (process) throws(ControlError) in
                    try waitForExit(of: process, deadline: deadline)
                } ?? true
        } catch {
            guard error.isTimeout, last != nil || cut != nil else { throw error }
        }
        if isGone, cut == nil, last?.connections == 0 {
            // A server without connections may return from main before it has reported: nothing was lost.
            cut = 0
            observe(.drained(generation: generation, cut: 0))
        }
        if isGone { observe(.left(generation: generation)) }
        return DrainOutcome(
            end: !isGone ? .timedOut : cut == nil ? .died : .left, cut: cut,
            elapsedMicroseconds: Clock.microseconds(since: start))
    }
}
