// SPDX-License-Identifier: Apache-2.0

package import SuccessionProtocol
import SuccessionSystem

/// How a generation left, or that it did not.
package struct DrainOutcome: Sendable, Hashable {
    package enum End: String, Sendable {
        /// It drained, said so, and its process is gone.
        case left
        /// It ended without having said that it drained: what it still served is lost.
        case died
        /// It is still there long after its deadline.
        case timedOut = "stays"
    }

    package var end: End
    /// Connections closed by the deadline; nil if it did not say.
    package var cut: Int?
    package var elapsedMicroseconds: Int

    package init(end: End, cut: Int?, elapsedMicroseconds: Int) {
        self.end = end
        self.cut = cut
        self.elapsedMicroseconds = elapsedMicroseconds
    }

    /// Whether nobody was cut off.
    package var isClean: Bool { end == .left && (cut ?? 0) == 0 }

    /// A predicate: `has left`, `has left, 3 connections were cut at the deadline`.
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
    /// What a generation may take beyond its deadline before it counts as one that stays.
    private static let grace = 15_000

    /// Hears how a generation drains, until its process is gone.
    ///
    /// A refusal is thrown, and so is silence before the first answer.
    func followDrain(
        of generation: Int, progressMode: ProgressMode, _ observe: (ControlEvent) -> Void
    ) throws(ControlError) -> DrainOutcome {
        let start = Clock.now
        // It lives: it has answered, or its queue has taken the connection.
        let process = process
        var deadline = Clock.after(milliseconds: Self.grace)
        var last: DrainProgress?
        var cut: Int?
        var isGone = false
        do {
            while let message = try next(deadline: deadline, progressMode: progressMode, observe) {
                if message.kind == .draining {
                    let progress = DrainProgress(generation: generation, message)
                    let end = Clock.after(
                        milliseconds: progress.remainingMilliseconds.addingClamped(Self.grace))
                    // A deadline can be brought forward; one that is past is not put off by saying so again.
                    deadline = last == nil ? end : min(deadline, end)
                    last = progress
                    observe(.draining(progress))
                } else if message.kind == .drained {
                    cut = message.number(.cut) ?? 0
                    observe(.drained(generation: generation, cut: cut ?? 0))
                }
            }
            // The end of the connection comes while the kernel still takes the process apart, and
            // that takes long where there is much memory.
            isGone = process?.waitForExit(deadline: deadline) ?? true
        } catch {
            guard error.isTimeout, last != nil || cut != nil else { throw error }
        }
        if isGone, cut == nil, last?.connections == 0 {
            // A server without connections may return from main before it has said so: nothing was lost.
            cut = 0
            observe(.drained(generation: generation, cut: 0))
        }
        if isGone { observe(.left(generation: generation)) }
        return DrainOutcome(
            end: !isGone ? .timedOut : cut == nil ? .died : .left, cut: cut,
            elapsedMicroseconds: Clock.microseconds(since: start))
    }
}

extension DrainProgress {
    package init(generation: Int, _ message: Message) {
        self.init(
            generation: generation, connections: message.number(.connections) ?? 0,
            remainingMilliseconds: message.number(.remaining) ?? 0)
    }
}

extension Int {
    package func addingClamped(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}
