// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import Synchronization

/// What a generation is doing.
///
/// Later versions may add states, and a state keeps what it holds. A `switch` in another package
/// needs a `default` or `@unknown default`; Swift 6.2.3 and later insist on it.
#if compiler(>=6.2.3)
@nonexhaustive
#endif
public enum GenerationState: Sendable, Hashable {
    /// Building its server; not accepting.
    case starting
    /// Accepting.
    case serving
    /// Not accepting, and able to accept again: a successor has been told to take over and has not
    /// done so yet.
    case standby
    /// Finishing what it has, for at most the time given.
    case draining(deadline: Duration)

    /// The word on the wire and in `swapctl status`.
    var word: StateWord {
        switch self {
        case .starting: .starting
        case .serving: .serving
        case .standby: .standby
        case .draining: .draining
        }
    }
}

/// The present state, and everyone who wants to hear of the next.
final class StateBroadcast: Sendable {
    private struct State {
        var current = GenerationState.starting
        var listeners: [Int: AsyncStream<GenerationState>.Continuation] = [:]
        var lastID = 0
    }

    private let state = Mutex(State())

    var current: GenerationState { state.withLock { $0.current } }

    func set(_ new: GenerationState) {
        let listeners = state.withLock { state in
            state.current = new
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.yield(new) }
    }

    /// The current state, then each change.
    func stream() -> AsyncStream<GenerationState> {
        let (stream, continuation) = AsyncStream.makeStream(of: GenerationState.self)
        state.withLock { state in
            state.lastID += 1
            let id = state.lastID
            state.listeners[id] = continuation
            continuation.yield(state.current)
            continuation.onTermination = { [weak self] _ in self?.remove(id) }
        }
        return stream
    }

    private func remove(_ id: Int) {
        state.withLock { state in _ = state.listeners.removeValue(forKey: id) }
    }
}
