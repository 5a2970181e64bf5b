// SPDX-License-Identifier: Apache-2.0

/// Decides the steps of one switch to another release, and of its return after a failure.
///
/// Each action ends with an event before the next begins. The intent is on the disk before anything
/// is changed, and becomes the record of what serves in one rename: wherever the process is killed,
/// ``Recovery`` finds out what serves and makes the site agree.
package struct SwitchStateMachine: Sendable {
    package enum Action: Sendable, Hashable {
        /// Check the files and their checksums, and run the operator's check command.
        case check
        case writeIntent
        /// Name the release in `current.conf`, unless the switch was caused by that file.
        case writeCurrent
        case pointLinks
        /// Upgrade the server, or start it.
        case upgradeServer
        /// Make the intent the record of what serves.
        case commit
        /// Point the links to what serves.
        case restoreLinks
        /// Name what serves in `current.conf`, unless that has been changed again.
        case restoreCurrent
        case journal(JournalEntry.Result)
        case removeIntent
        case finish(Ending)
    }

    package enum Event: Sendable, Hashable {
        case done
        case failed
        /// It is not known whether the server serves the new release.
        case unknown
    }

    package enum Ending: Sendable, Hashable {
        case committed
        /// The upgrade failed, and the old release serves.
        case unchanged
        /// The switch ended before the server was asked.
        case refused
        /// The intent stays on the disk, and the next ``Recovery`` decides.
        case unknown
    }

    private enum State: Sendable, Hashable {
        case idle, checking, writingIntent, writingCurrent, pointingLinks, upgrading, committing
        case restoringLinks(JournalEntry.Result)
        case restoringCurrent(JournalEntry.Result)
        case journaling(JournalEntry.Result)
        case removingIntent(JournalEntry.Result)
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
        case (.checking, .done): return go(.writingIntent, .writeIntent)
        case (.checking, .failed): return go(.restoringCurrent(.refused), .restoreCurrent)

        case (.writingIntent, .done):
            hasIntent = true
            return writesCurrent
                ? go(.writingCurrent, .writeCurrent) : go(.pointingLinks, .pointLinks)
        case (.writingIntent, .failed): return go(.restoringCurrent(.refused), .restoreCurrent)

        case (.writingCurrent, .done): return go(.pointingLinks, .pointLinks)
        case (.writingCurrent, .failed): return go(.restoringCurrent(.refused), .restoreCurrent)

        case (.pointingLinks, .done): return go(.upgrading, .upgradeServer)
        // Some links may have been changed.
        case (.pointingLinks, .failed): return go(.restoringLinks(.refused), .restoreLinks)

        case (.upgrading, .done): return go(.committing, .commit)
        case (.upgrading, .failed): return go(.restoringLinks(.unchanged), .restoreLinks)
        case (.upgrading, .unknown): return go(.finished, .finish(.unknown))

        case (.committing, .done):
            hasIntent = false
            return go(.journaling(.committed), .journal(.committed))
        // The release serves, and that cannot be recorded: the next recovery finds the intent.
        case (.committing, .failed): return go(.finished, .finish(.unknown))

        // If one part cannot be restored, the other parts are restored nevertheless.
        case (.restoringLinks(let result), .done), (.restoringLinks(let result), .failed):
            return go(.restoringCurrent(result), .restoreCurrent)
        case (.restoringCurrent(let result), .done), (.restoringCurrent(let result), .failed):
            return go(.journaling(result), .journal(result))
        case (.journaling(let result), .done), (.journaling(let result), .failed):
            return hasIntent ? go(.removingIntent(result), .removeIntent) : finish(result)
        // If the intent stays, the next recovery finds that the switch was not carried out.
        case (.removingIntent(let result), .done), (.removingIntent(let result), .failed):
            return finish(result)

        // Only the request to the server can end without a known outcome.
        case (.checking, .unknown), (.writingIntent, .unknown), (.writingCurrent, .unknown),
            (.pointingLinks, .unknown), (.committing, .unknown), (.restoringLinks, .unknown),
            (.restoringCurrent, .unknown), (.journaling, .unknown), (.removingIntent, .unknown):
            return nil
        // No action runs: the switch has not begun, or has ended.
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
