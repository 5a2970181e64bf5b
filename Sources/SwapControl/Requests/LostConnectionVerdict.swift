// SPDX-License-Identifier: Apache-2.0

/// What a status tells about an upgrade whose connection ended before its result.
package enum LostConnectionVerdict: Sendable, Hashable {
    /// The upgrade is not over.
    case open
    /// A newer generation serves.
    case committed
    /// The predecessor serves, and runs no upgrade.
    case unchanged
    /// The predecessor has ended, and a process that is not its successor serves: a supervisor has started the
    /// service again.
    case restarted

    package init(_ status: GenerationStatus, after predecessor: GenerationReference) {
        guard status.isServing else {
            self = .open
            return
        }
        if status.generation > predecessor.generation {
            self = .committed
        } else if let old = predecessor.processID, let new = status.visibleProcessID, old != new {
            // A process without a predecessor numbers its generations from 1: only the pid tells it from the one that
            // was asked.
            self = .restarted
        } else {
            self = status.upgrade == nil ? .unchanged : .open
        }
    }
}
