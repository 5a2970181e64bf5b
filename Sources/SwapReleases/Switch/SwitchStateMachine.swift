// SPDX-License-Identifier: Apache-2.0

/// One switch from what serves to another release: what is to be done next, and how to return.
///
/// Each action is done and answered before the next. The intent is on the disk before anything is
/// changed, and becomes the record of what serves in one rename: wherever the process is killed,
/// ``Recovery`` finds out what serves and makes the rest agree with it.
package struct SwitchStateMachine: Sendable {
    package enum Action: Sendable, Hashable {
        /// Look at the files, their checksums, and run the operator's own check.
        case check
        case writeIntent
        /// Name the release in `current.conf`, where it is not there that it was named.
        case writeCurrent
        case turnLinks
        /// Have the server upgraded, or started.
        case ask
        /// Turn the intent into the record of what serves.
        case commit
        /// Point the links to what serves.
        case returnLinks
        /// Have `current.conf` name what serves, unless it has been changed again.
        case returnCurrent
        case journal(JournalEntry.Result)
        case removeIntent
        case finish(Ending)
    }

    package enum Event: Sendable, Hashable {
        case done
        case failed
        /// Whether the server serves the new release cannot be told now.
        case unknown
    }

    package enum Ending: Sendable, Hashable {
        case committed
        /// It was tried, and the old release serves.
        case unchanged
        /// It was not tried.
        case refused
        /// The intent stays, and the next look decides.
        case unknown
    }

    private enum State: Sendable, Hashable {
        case idle, checking, intending, naming, linking, asking, committing
        case returningLinks(JournalEntry.Result)
        case returningCurrent(JournalEntry.Result)
        case journaling(JournalEntry.Result)
        case clearing(JournalEntry.Result)
        case finished
    }

    private let writesCurrent: Bool
    private var state = State.idle
    private var hasIntent = false

    package init(writesCurrent: Bool) {
        self.writesCurrent = writesCurrent
    }

    package mutating func begin() -> Action {
        state = .checking
        return .check
    }

    /// The next action; nil if the event cannot happen in this state.
    package mutating func handle(_ event: Event) -> Action? {
        switch (state, event) {
        case (.checking, .done): return go(.intending, .writeIntent)
        case (.checking, .failed): return go(.returningCurrent(.refused), .returnCurrent)

        case (.intending, .done):
            hasIntent = true
            return writesCurrent ? go(.naming, .writeCurrent) : go(.linking, .turnLinks)
        case (.intending, .failed): return go(.returningCurrent(.refused), .returnCurrent)

        case (.naming, .done): return go(.linking, .turnLinks)
        case (.naming, .failed): return go(.returningCurrent(.refused), .returnCurrent)

        case (.linking, .done): return go(.asking, .ask)
        // Some may have been turned.
        case (.linking, .failed): return go(.returningLinks(.refused), .returnLinks)

        case (.asking, .done): return go(.committing, .commit)
        case (.asking, .failed): return go(.returningLinks(.unchanged), .returnLinks)
        case (.asking, .unknown): return go(.finished, .finish(.unknown))

        case (.committing, .done):
            hasIntent = false
            return go(.journaling(.committed), .journal(.committed))
        // It serves, and that cannot be written down: the intent says so to the next look.
        case (.committing, .failed): return go(.finished, .finish(.unknown))

        // What cannot be returned does not keep the rest from being returned.
        case (.returningLinks(let result), .done), (.returningLinks(let result), .failed):
            return go(.returningCurrent(result), .returnCurrent)
        case (.returningCurrent(let result), .done), (.returningCurrent(let result), .failed):
            return go(.journaling(result), .journal(result))
        case (.journaling(let result), .done), (.journaling(let result), .failed):
            return hasIntent ? go(.clearing(result), .removeIntent) : finish(result)
        // An intent that stays is understood by the next look as what it is: not carried out.
        case (.clearing(let result), .done), (.clearing(let result), .failed):
            return finish(result)

        // Only the server can leave in doubt what it has done.
        case (.checking, .unknown), (.intending, .unknown), (.naming, .unknown),
            (.linking, .unknown), (.committing, .unknown), (.returningLinks, .unknown),
            (.returningCurrent, .unknown), (.journaling, .unknown), (.clearing, .unknown):
            return nil
        // Nothing was asked yet, or nothing is asked any more.
        case (.idle, _), (.finished, _): return nil
        }
    }

    private mutating func go(_ next: State, _ action: Action) -> Action {
        state = next
        return action
    }

    private mutating func finish(_ result: JournalEntry.Result) -> Action {
        switch result {
        case .committed: go(.finished, .finish(.committed))
        case .unchanged: go(.finished, .finish(.unchanged))
        case .refused: go(.finished, .finish(.refused))
        }
    }
}
