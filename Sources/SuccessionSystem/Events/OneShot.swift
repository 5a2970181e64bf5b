// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A value that is set once, by the first of several sources, and awaited by any number of tasks.
package final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case waiting([CheckedContinuation<Value, Never>], alarm: Task<Void, Never>?)
        case done(Value)
    }

    private let state = Mutex(State.waiting([], alarm: nil))

    package init() {}

    /// Sets the value; later calls do nothing.
    package func fulfil(_ value: Value) {
        let (waiters, alarm) = state.withLock {
            state -> ([CheckedContinuation<Value, Never>], Task<Void, Never>?) in
            guard case .waiting(let waiters, let alarm) = state else { return ([], nil) }
            state = .done(value)
            return (waiters, alarm)
        }
        alarm?.cancel()
        for waiter in waiters { waiter.resume(returning: value) }
    }

    /// Sets the value after `deadline`, unless it has been set before.
    ///
    /// A second call replaces the deadline of the first.
    package func expire(after deadline: Duration, with value: Value) {
        let alarm = Task { [self] in
            do {
                try await Task.sleep(for: deadline)
            } catch {
                return
            }
            fulfil(value)
        }
        let obsolete = state.withLock { state -> Task<Void, Never>? in
            guard case .waiting(let waiters, let former) = state else { return alarm }
            state = .waiting(waiters, alarm: alarm)
            return former
        }
        obsolete?.cancel()
    }

    /// Returns as soon as the value is set.
    ///
    /// Cancellation does not end the wait.
    package func value() async -> Value {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state -> Value? in
                switch state {
                case .done(let value): return value
                case .waiting(let waiters, let alarm):
                    state = .waiting(waiters + [continuation], alarm: alarm)
                    return nil
                }
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }
}
