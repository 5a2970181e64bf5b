// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Synchronization

/// Runs calls that may block on a thread of their own, one after the other, in order.
///
/// A manager that does not read its socket blocks sd_notify(3) for as long as it likes; nobody who
/// has something else to do may wait for that. The thread ends when there is nothing left to do, so
/// that it costs nothing in between.
final class NotifyThread: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var isRunning = false
    }

    /// With so much unsaid the manager does not listen; what is said now is dropped.
    private static let limit = 256

    private let state = Mutex(State())

    /// Has `job` called after those before it; false if it is dropped.
    @discardableResult
    func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        let (isTaken, mustStart) = state.withLock { state in
            guard state.jobs.count < Self.limit else { return (false, false) }
            state.jobs.append(job)
            defer { state.isRunning = true }
            return (true, !state.isRunning)
        }
        guard mustStart else { return isTaken }
        do {
            try startThread(name: "succession-sd") { [self] in run() }
        } catch {
            // Too many threads; the next one who has something to say tries again.
            state.withLock { $0.isRunning = false }
        }
        return isTaken
    }

    private func run() {
        while let job = next() { job() }
    }

    private func next() -> (@Sendable () -> Void)? {
        state.withLock { state in
            if state.jobs.isEmpty {
                state.isRunning = false
                return nil
            }
            return state.jobs.removeFirst()
        }
    }

    /// Blocks until everything said so far has been sent, or the time has passed.
    func flush(within milliseconds: CInt) {
        guard state.withLock({ $0.isRunning }),
            let done = try? DescriptorReserve.shared.eventDescriptor()
        else { return }
        submit { Syscall.signalEvent(done.rawValue) }
        _ = try? Syscall.poll(
            done.rawValue, events: Syscall.pollIn, timeoutMilliseconds: milliseconds)
    }
}
