// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The first of two answers to one question: the manager's, or that there was none in time.
final class Answer: Sendable {
    typealias Outcome = Result<Void, ActivationError>

    private struct State {
        var continuation: CheckedContinuation<Outcome, Never>?
        var alarm: Task<Void, Never>?
    }

    private let state: Mutex<State>

    init(_ continuation: CheckedContinuation<Outcome, Never>) {
        state = Mutex(State(continuation: continuation))
    }

    /// Answers; a second answer does nothing.
    func give(_ outcome: Outcome) {
        let (continuation, alarm) = state.withLock { state in
            defer { state = State() }
            return (state.continuation, state.alarm)
        }
        alarm?.cancel()
        continuation?.resume(returning: outcome)
    }

    /// Answers that there was none, unless there is one before.
    func expire(after deadline: Duration) {
        let alarm = Task { [self] in
            do {
                try await Task.sleep(for: deadline)
            } catch {
                return
            }
            give(.failure(ServiceManager.silence(deadline)))
        }
        let isOver = state.withLock { state in
            if state.continuation != nil { state.alarm = alarm }
            return state.continuation == nil
        }
        if isOver { alarm.cancel() }
    }
}
