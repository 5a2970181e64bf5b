// SPDX-License-Identifier: Apache-2.0

/// What whoever watches a site does next.
///
/// Changes only ever cause another look, and what is found at the look counts: of many changes the
/// last one wins, and one that comes while something is under way is looked at after it.
package struct WatchStateMachine: Sendable {
    package enum Event: Sendable, Hashable {
        /// Something may have changed, or the watch begins.
        case changed
        case looked(Finding)
        /// A switch, or a return, is over.
        case finished
        /// Whether the switch succeeded cannot be told.
        case leftInDoubt
        /// Whoever changed the release is done with it.
        case unlocked
        /// The time in which an unreadable file could be completed has passed.
        case patienceEnded
        /// It is time to try again what has failed.
        case retryDue
        /// The process that served is gone. `wasStable`: it had served for long.
        case serverEnded(wasStable: Bool)
        /// A server that was started has not come to serve.
        case startFailed
        /// The time has passed in which a server that has died is not started again.
        case restOver
        case stopRequested
    }

    /// What a look found.
    package enum Finding: Sendable, Hashable {
        /// What is named serves.
        case same
        /// Another release is named.
        case different
        /// What is named served last, and nobody serves; `canStart`: it is known how it is started.
        case down(canStart: Bool)
        /// `current.conf` cannot be read or is gone: it may be being written.
        case unreadable
        /// Somebody else is changing the release.
        case busy
        /// It could not be looked, for a reason that may pass: a server that does not answer.
        case failed
    }

    package enum Action: Sendable, Hashable {
        case look
        case switchOver
        /// Tell why the file cannot be read, and begin to wait for it to be completed.
        case beginPatience
        case endPatience
        /// Wait, and then look again.
        case beginRetry(Obstacle)
        case endRetry
        /// Tell that the server has died, and after what time it is started again; nil: not at all.
        case tellEnd(startsIn: Duration?)
        /// Leave a server that has died, or was not started, alone for that time.
        case beginRest(Duration)
        case endRest
        /// Have `current.conf` name what serves again.
        case putBack
        /// Find out what became of the switch.
        case recover
        case leave
    }

    /// What is in the way, and may go without being seen.
    package enum Obstacle: Sendable, Hashable {
        /// Something has failed.
        case failure
        /// Somebody else holds the lock. His giving it back is seen, but for one moment: the file is
        /// told to be closed before the kernel drops the lock of whoever ends.
        case lock
    }

    private enum State: Sendable, Hashable {
        case idle
        /// `again`: something changed since the look began.
        case looking(again: Bool, isLast: Bool)
        case switching(again: Bool)
        case recovering(again: Bool)
        /// Somebody else holds the lock.
        case blocked
        case patient
        /// What has failed is tried again when the wait is over, or something changes before.
        case retrying
        /// The server has died, and is started again when the wait is over or something changes.
        case resting
        case left
    }

    private static let firstRest = Duration.milliseconds(500)
    private static let longestRest = Duration.seconds(60)

    /// Whether a server that has died is started again though nothing has changed.
    private let startsAgain: Bool
    private var state = State.idle
    private var isStopping = false
    /// The next look may start a server: somebody has changed something, or a rest is over.
    private var mayStart = false
    /// A server has died since the last look that found something.
    private var hasEnded = false
    private var rest = Self.firstRest

    package init(startsAgain: Bool = false) {
        self.startsAgain = startsAgain
    }

    /// What is to be done; each action that has an answer gets it before the next event.
    package mutating func handle(_ event: Event) -> [Action] {
        if event == .stopRequested { return stop() }
        note(event)
        switch (state, event) {
        case (.idle, .changed), (.idle, .serverEnded): return look()
        case (.idle, .unlocked): return []

        case (.looking(_, let isLast), .changed), (.looking(_, let isLast), .serverEnded):
            state = .looking(again: true, isLast: isLast)
            return []
        case (.looking(let again, let isLast), .looked(let finding)):
            return take(finding, again: again, isLast: isLast)
        case (.looking, .unlocked): return []

        case (.switching, .changed), (.switching, .serverEnded):
            state = .switching(again: true)
            return []
        case (.switching(let again), .finished): return settle(again: again)
        case (.switching(let again), .startFailed):
            return again || isStopping || !startsAgain ? settle(again: again) : beginRest()
        case (.switching(let again), .leftInDoubt):
            state = .recovering(again: again)
            return [.recover]
        case (.switching, .unlocked): return []

        case (.recovering, .changed), (.recovering, .serverEnded):
            state = .recovering(again: true)
            return []
        // What was wanted may not have come about: it is looked at in any case.
        case (.recovering, .finished):
            mayStart = true
            return settle(again: true)
        // It could not be found out: it is asked again.
        case (.recovering(let again), .leftInDoubt): return again ? settle(again: true) : retry()
        case (.recovering, .unlocked): return []

        // What is there when the lock is free counts.
        case (.blocked, .changed), (.blocked, .serverEnded): return []
        case (.blocked, .unlocked): return [.endRetry] + look()
        case (.blocked, .retryDue): return look()

        case (.patient, .changed): return [.endPatience] + look()
        case (.patient, .patienceEnded):
            state = .looking(again: false, isLast: true)
            return [.look]
        case (.patient, .unlocked), (.patient, .serverEnded): return []

        case (.retrying, .changed): return [.endRetry] + look()
        case (.retrying, .retryDue): return look()
        case (.retrying, .unlocked), (.retrying, .serverEnded): return []

        case (.resting, .changed): return [.endRest] + look()
        case (.resting, .restOver): return look()
        // Somebody else has started it, and it has died again: it is not forgotten.
        case (.resting, .serverEnded), (.resting, .unlocked): return []

        // Answers to questions that were not asked, and the end of a wait that is over.
        case (.idle, .looked), (.idle, .finished), (.idle, .leftInDoubt), (.idle, .patienceEnded),
            (.looking, .finished), (.looking, .leftInDoubt), (.looking, .patienceEnded),
            (.switching, .looked), (.switching, .patienceEnded), (.recovering, .looked),
            (.recovering, .patienceEnded), (.blocked, .looked), (.blocked, .finished),
            (.blocked, .leftInDoubt), (.blocked, .patienceEnded), (.patient, .looked),
            (.patient, .finished), (.patient, .leftInDoubt), (.retrying, .looked),
            (.retrying, .finished), (.retrying, .leftInDoubt), (.retrying, .patienceEnded),
            (.idle, .retryDue), (.looking, .retryDue), (.switching, .retryDue),
            (.recovering, .retryDue), (.patient, .retryDue), (.resting, .retryDue),
            (.resting, .looked), (.resting, .finished), (.resting, .leftInDoubt),
            (.resting, .patienceEnded), (.idle, .startFailed), (.looking, .startFailed),
            (.recovering, .startFailed), (.blocked, .startFailed), (.patient, .startFailed),
            (.retrying, .startFailed), (.resting, .startFailed), (.idle, .restOver),
            (.looking, .restOver), (.switching, .restOver), (.recovering, .restOver),
            (.blocked, .restOver), (.patient, .restOver), (.retrying, .restOver):
            return []
        case (.left, _): return []
        // Taken above.
        case (_, .stopRequested): return []
        }
    }

    /// What an event means whatever the state is.
    private mutating func note(_ event: Event) {
        switch event {
        case .changed:
            mayStart = true
            rest = Self.firstRest
        case .serverEnded(let wasStable):
            hasEnded = true
            if wasStable { rest = Self.firstRest }
        case .restOver: mayStart = true
        case .looked, .finished, .leftInDoubt, .unlocked, .patienceEnded, .retryDue, .startFailed,
            .stopRequested:
            break
        }
    }

    private mutating func look() -> [Action] {
        state = .looking(again: false, isLast: false)
        return [.look]
    }

    private mutating func take(_ finding: Finding, again: Bool, isLast: Bool) -> [Action] {
        if isStopping { return leave() }
        // What was found is old already.
        if again { return look() }
        switch finding {
        case .same:
            (mayStart, hasEnded) = (false, false)
            state = .idle
            return []
        case .different:
            (mayStart, hasEnded) = (false, false)
            state = .switching(again: false)
            return [.switchOver]
        case .down(let canStart): return takeDown(canStart)
        case .unreadable where isLast:
            state = .switching(again: false)
            return [.putBack]
        case .unreadable:
            state = .patient
            return [.beginPatience]
        case .busy:
            state = .blocked
            return [.beginRetry(.lock)]
        case .failed: return retry()
        }
    }

    private mutating func takeDown(_ canStart: Bool) -> [Action] {
        let startsLater = !mayStart && canStart && startsAgain
        var actions: [Action] = []
        if hasEnded {
            let delay = mayStart && canStart ? .zero : startsLater ? rest : nil
            actions.append(.tellEnd(startsIn: delay))
        }
        let startsNow = mayStart && canStart
        (mayStart, hasEnded) = (false, false)
        if startsLater { return actions + beginRest() }
        state = startsNow ? .switching(again: false) : .idle
        return startsNow ? actions + [.switchOver] : actions
    }

    /// Each rest is twice as long as the one before, until a server has served for long.
    private mutating func beginRest() -> [Action] {
        state = .resting
        let delay = rest
        rest = min(rest * 2, Self.longestRest)
        return [.beginRest(delay)]
    }

    private mutating func retry() -> [Action] {
        if isStopping { return leave() }
        state = .retrying
        return [.beginRetry(.failure)]
    }

    private mutating func settle(again: Bool) -> [Action] {
        if isStopping { return leave() }
        if again { return look() }
        state = .idle
        return []
    }

    /// A switch under way is finished first.
    private mutating func stop() -> [Action] {
        switch state {
        case .idle: return leave()
        case .patient: return [.endPatience] + leave()
        case .blocked, .retrying: return [.endRetry] + leave()
        case .resting: return [.endRest] + leave()
        case .looking, .switching, .recovering:
            isStopping = true
            return []
        case .left: return []
        }
    }

    private mutating func leave() -> [Action] {
        state = .left
        return [.leave]
    }
}
