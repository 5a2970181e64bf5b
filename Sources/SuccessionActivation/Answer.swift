// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The first of two answers to one question: the real one, or that there was none in time.
final class Answer<Outcome: Sendable>: Sendable {
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

    /// Answers with `silence`, unless there is an answer before.
    func expire(after deadline: Duration, with silence: Outcome) {
        let alarm = Task { [self] in
            do {
                try await Task.sleep(for: deadline)
            } catch {
                return
            }
            give(silence)
        }
        let isOver = state.withLock { state in
            if state.continuation != nil { state.alarm = alarm }
            return state.continuation == nil
        }
        if isOver { alarm.cancel() }
    }
}
