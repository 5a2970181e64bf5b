// SPDX-License-Identifier: Apache-2.0

import Glibc
import SuccessionSystem

/// The one thing this process does wrong.
enum Fault: Sendable, Equatable {
    case none
    /// Ends before it has said anything.
    case exitAtOnce
    /// Takes the descriptors and is never ready.
    case neverReady
    /// Says on a FIFO that it has its listeners, and is ready when the other end is closed.
    case holdReady(fifo: String)
    /// Will not have the state.
    case refuse
    /// Has an acceptor on its first listener that throws when it is to accept again.
    case resumeFails
    /// Has one there that never comes back when it is to stop.
    case pauseHangs
    /// Dies by SIGKILL at a step of the hand-over.
    case kill(step: String)
    /// Stops for ever at a step, as a process does that is stopped or swapped out.
    case hang(step: String)
    /// Says on a FIFO that it has come to a step, and goes on when the other end is closed.
    case hold(step: String, fifo: String)

    init(_ text: String) throws {
        let parts = text.split(separator: ":", maxSplits: 2).map(String.init)
        switch (parts.first, parts.count) {
        case ("exit-at-once", 1): self = .exitAtOnce
        case ("never-ready", 1): self = .neverReady
        case ("hold-ready", 2): self = .holdReady(fifo: parts[1])
        case ("refuse", 1): self = .refuse
        case ("resume-fails", 1): self = .resumeFails
        case ("pause-hangs", 1): self = .pauseHangs
        case ("kill", 2): self = .kill(step: parts[1])
        case ("hang", 2): self = .hang(step: parts[1])
        case ("hold", 3): self = .hold(step: parts[1], fifo: parts[2])
        default: throw UsageError("fault \(text)?")
        }
    }

    /// Called on the control thread at each step.
    func happen(at step: String) {
        switch self {
        case .kill(step): Glibc.kill(getpid(), SIGKILL)
        case .hang(step): while true { Glibc.kill(getpid(), SIGSTOP) }
        case .hold(step, let fifo): Self.wait(at: fifo)
        case .none, .exitAtOnce, .neverReady, .holdReady, .refuse, .resumeFails, .pauseHangs: break
        case .kill, .hang, .hold: break
        }
    }

    /// Opening the FIFO for writing is the news that the step is reached; that its reader has left,
    /// which makes the next write fail, is the permission to go on.
    ///
    /// A reader that keeps it open blocks this process.
    static func wait(at fifo: String) {
        guard let pipe = try? Syscall.open(fifo, .writeOnly, mode: 0) else { return }
        try? Syscall.writeAll(pipe.rawValue, Array("reached\n".utf8))
        _ = try? Syscall.poll(pipe.rawValue, events: 0, timeoutMilliseconds: 60_000)
    }
}
