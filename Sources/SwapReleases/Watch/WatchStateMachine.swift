// SPDX-License-Identifier: Apache-2.0

/// Decides what the watch of a site does next.
///
/// A change only causes another inspection, and what the inspection finds decides: of many changes
/// the last one wins, and a change in the middle of an action is inspected after it.
package struct WatchStateMachine: Sendable {
    package enum Event: Sendable, Hashable {
        /// The watch begins, or something in the site may have changed.
        case changed
        case inspected(Finding)
        /// A switch, a recovery or a restoration of `current.conf` has ended.
        case finished
        /// It is not known whether the switch has succeeded.
        case outcomeUnknown
        /// Another process has given back the lock of the switch.
        case unlocked
        /// The time in which an unreadable `current.conf` could be completed has passed.
        case patienceEnded
        /// The pause before a retry has passed.
        case retryDue
        /// The serving process has ended. `wasStable`: it had served for a minute or more.
        case serverEnded(wasStable: Bool)
        /// The server was started and did not become ready.
        case startFailed
        /// The pause before another start of the server has passed.
        case backoffEnded
        case stopRequested
    }

    /// What an inspection has found.
    package enum Finding: Sendable, Hashable {
        /// The named release serves.
        case same
        /// Another release is named.
        case different
        /// No generation serves, and the named release served last; `canStart`: the command that
        /// starts the server is known.
        case down(canStart: Bool)
        /// `current.conf` cannot be read or is gone: somebody may be writing it.
        case unreadable
        /// Another process holds the lock of the switch.
        case busy
        /// The inspection failed for a reason that may pass, such as a server that does not answer.
        case failed
    }

    package enum Action: Sendable, Hashable {
        case inspect
        case switchOver
        /// Report why `current.conf` cannot be read, and give its author time to complete it.
        case beginPatience
        case endPatience
        /// Pause, then inspect again.
        case beginRetry(Obstacle)
        case endRetry
        /// Report the end of the server, and the pause before the next start; nil: it is not started.
        case reportServerEnd(startsIn: Duration?)
        /// Pause before the server is started again.
        case beginBackoff(Duration)
        case endBackoff
        /// Write what serves into `current.conf`.
        case restoreCurrent
        /// Find out how a switch ended, and make the site agree; see ``Recovery``.
        case recover
        case stop
    }

    /// What prevented an inspection, and may end without an event.
    package enum Obstacle: Sendable, Hashable {
        /// An operation failed.
        case failure
        /// Another process holds the lock. Its release causes ``Event/unlocked``, with one exception:
        /// when the holder exits, the kernel reports the close of the file before it drops the lock.
        case lock
    }

    private enum State: Sendable, Hashable {
        case idle
        /// `again`: something has changed since the inspection began.
        case inspecting(again: Bool, isLast: Bool)
        case switching(again: Bool)
        case recovering(again: Bool)
        /// Another process holds the lock of the switch.
        case blocked
        case awaitingCompletion
        /// The failed operation is tried again after the pause, or at the next change.
        case retrying
        /// The server has ended, and is started again after the pause or at the next change.
        case backingOff
        case stopped
    }

    private static let shortestBackoff = Duration.milliseconds(500)
    private static let longestBackoff = Duration.seconds(60)

    /// Whether a server that has ended is started again without a change in the site.
    private let startsAgain: Bool
    private var state = State.idle
    private var isStopping = false
    /// Whether the next inspection may start the server: after a change or a pause.
    private var mayStart = false
    /// Whether the server has ended since the last inspection that did not fail.
    private var hasEnded = false
    private var backoff = Self.shortestBackoff

    package init(startsAgain: Bool = false) {
        self.startsAgain = startsAgain
    }

    /// Returns the next actions.
    ///
    /// An action with a result reports it before the next event.
    package mutating func handle(_ event: Event) -> [Action] {
        if event == .stopRequested { return stop() }
        note(event)
        switch (state, event) {
        case (.idle, .changed), (.idle, .serverEnded): return inspect()
        case (.idle, .unlocked): return []

        case (.inspecting(_, let isLast), .changed), (.inspecting(_, let isLast), .serverEnded):
            state = .inspecting(again: true, isLast: isLast)
            return []
        case (.inspecting(let again, let isLast), .inspected(let finding)):
            return act(on: finding, again: again, isLast: isLast)
        case (.inspecting, .unlocked): return []

        case (.switching, .changed), (.switching, .serverEnded):
            state = .switching(again: true)
            return []
        case (.switching(let again), .finished): return settle(again: again)
        case (.switching(let again), .startFailed):
            return again || isStopping || !startsAgain ? settle(again: again) : beginBackoff()
        case (.switching(let again), .outcomeUnknown):
            state = .recovering(again: again)
            return [.recover]
        case (.switching, .unlocked): return []

        case (.recovering, .changed), (.recovering, .serverEnded):
            state = .recovering(again: true)
            return []
        // The switch may have been taken back: what is named has to be compared again.
        case (.recovering, .finished):
            mayStart = true
            return settle(again: true)
        // The recovery failed: it runs again at the next inspection.
        case (.recovering(let again), .outcomeUnknown): return again ? settle(again: true) : retry()
        case (.recovering, .unlocked): return []

        // The inspection after the release of the lock sees this change.
        case (.blocked, .changed), (.blocked, .serverEnded): return []
        case (.blocked, .unlocked): return [.endRetry] + inspect()
        case (.blocked, .retryDue): return inspect()

        case (.awaitingCompletion, .changed): return [.endPatience] + inspect()
        case (.awaitingCompletion, .patienceEnded):
            state = .inspecting(again: false, isLast: true)
            return [.inspect]
        case (.awaitingCompletion, .unlocked), (.awaitingCompletion, .serverEnded): return []

        case (.retrying, .changed): return [.endRetry] + inspect()
        case (.retrying, .retryDue): return inspect()
        case (.retrying, .unlocked), (.retrying, .serverEnded): return []

        case (.backingOff, .changed): return [.endBackoff] + inspect()
        case (.backingOff, .backoffEnded): return inspect()
        // Something else has started the server, and it has ended again: the pause goes on.
        case (.backingOff, .serverEnded), (.backingOff, .unlocked): return []

        // The result of an action that was not asked for, or the end of a pause that was cancelled.
        case (.idle, .inspected), (.idle, .finished), (.idle, .outcomeUnknown),
            (.idle, .patienceEnded),
            (.inspecting, .finished), (.inspecting, .outcomeUnknown), (.inspecting, .patienceEnded),
            (.switching, .inspected), (.switching, .patienceEnded), (.recovering, .inspected),
            (.recovering, .patienceEnded), (.blocked, .inspected), (.blocked, .finished),
            (.blocked, .outcomeUnknown), (.blocked, .patienceEnded),
            (.awaitingCompletion, .inspected),
            (.awaitingCompletion, .finished), (.awaitingCompletion, .outcomeUnknown),
            (.retrying, .inspected),
            (.retrying, .finished), (.retrying, .outcomeUnknown), (.retrying, .patienceEnded),
            (.idle, .retryDue), (.inspecting, .retryDue), (.switching, .retryDue),
            (.recovering, .retryDue), (.awaitingCompletion, .retryDue), (.backingOff, .retryDue),
            (.backingOff, .inspected), (.backingOff, .finished), (.backingOff, .outcomeUnknown),
            (.backingOff, .patienceEnded), (.idle, .startFailed), (.inspecting, .startFailed),
            (.recovering, .startFailed), (.blocked, .startFailed),
            (.awaitingCompletion, .startFailed),
            (.retrying, .startFailed), (.backingOff, .startFailed), (.idle, .backoffEnded),
            (.inspecting, .backoffEnded), (.switching, .backoffEnded), (.recovering, .backoffEnded),
            (.blocked, .backoffEnded), (.awaitingCompletion, .backoffEnded),
            (.retrying, .backoffEnded):
            return []
        case (.stopped, _): return []
        // Handled above.
        case (_, .stopRequested): return []
        }
    }

    /// Takes note of what an event means in every state.
    private mutating func note(_ event: Event) {
        switch event {
        case .changed:
            mayStart = true
            backoff = Self.shortestBackoff
        case .serverEnded(let wasStable):
            hasEnded = true
            if wasStable { backoff = Self.shortestBackoff }
        case .backoffEnded: mayStart = true
        case .inspected, .finished, .outcomeUnknown, .unlocked, .patienceEnded, .retryDue,
            .startFailed,
            .stopRequested:
            break
        }
    }

    private mutating func inspect() -> [Action] {
        state = .inspecting(again: false, isLast: false)
        return [.inspect]
    }

    private mutating func act(on finding: Finding, again: Bool, isLast: Bool) -> [Action] {
        if isStopping { return finishStop() }
        // The finding is out of date.
        if again { return inspect() }
        switch finding {
        case .same:
            (mayStart, hasEnded) = (false, false)
            state = .idle
            return []
        case .different:
            (mayStart, hasEnded) = (false, false)
            state = .switching(again: false)
            return [.switchOver]
        case .down(let canStart): return actOnDown(canStart)
        case .unreadable where isLast:
            state = .switching(again: false)
            return [.restoreCurrent]
        case .unreadable:
            state = .awaitingCompletion
            return [.beginPatience]
        case .busy:
            state = .blocked
            return [.beginRetry(.lock)]
        case .failed: return retry()
        }
    }

    private mutating func actOnDown(_ canStart: Bool) -> [Action] {
        let startsLater = !mayStart && canStart && startsAgain
        var actions: [Action] = []
        if hasEnded {
            let delay = mayStart && canStart ? .zero : startsLater ? backoff : nil
            actions.append(.reportServerEnd(startsIn: delay))
        }
        let startsNow = mayStart && canStart
        (mayStart, hasEnded) = (false, false)
        if startsLater { return actions + beginBackoff() }
        state = startsNow ? .switching(again: false) : .idle
        return startsNow ? actions + [.switchOver] : actions
    }

    /// Doubles the pause, up to a minute, until a server has been stable or something has changed.
    private mutating func beginBackoff() -> [Action] {
        state = .backingOff
        let delay = backoff
        backoff = min(backoff * 2, Self.longestBackoff)
        return [.beginBackoff(delay)]
    }

    private mutating func retry() -> [Action] {
        if isStopping { return finishStop() }
        state = .retrying
        return [.beginRetry(.failure)]
    }

    private mutating func settle(again: Bool) -> [Action] {
        if isStopping { return finishStop() }
        if again { return inspect() }
        state = .idle
        return []
    }

    /// A switch that has begun is finished first.
    private mutating func stop() -> [Action] {
        switch state {
        case .idle: return finishStop()
        case .awaitingCompletion: return [.endPatience] + finishStop()
        case .blocked, .retrying: return [.endRetry] + finishStop()
        case .backingOff: return [.endBackoff] + finishStop()
        case .inspecting, .switching, .recovering:
            isStopping = true
            return []
        case .stopped: return []
        }
    }

    private mutating func finishStop() -> [Action] {
        state = .stopped
        return [.stop]
    }
}
