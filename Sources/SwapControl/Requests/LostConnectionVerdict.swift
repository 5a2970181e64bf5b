// SPDX-License-Identifier: Apache-2.0

/// What a status says of an upgrade whose connection ended before its result.
package enum LostConnectionVerdict: Sendable, Hashable {
    /// It is not over.
    case open
    /// A newer generation serves.
    case committed
    /// The predecessor serves, and runs no upgrade.
    case unchanged
    /// The predecessor is gone, and another process that is no successor of it serves in its place:
    /// whoever supervises the service has started it afresh.
    case restarted

    /// Numbers of generations begin anew with a process that has no predecessor: only its pid tells
    /// it from the one that was asked.
    package init(_ status: GenerationStatus, after predecessor: GenerationReference) {
        guard status.state == "serving" else {
            self = .open
            return
        }
        if status.generation > predecessor.generation {
            self = .committed
        } else if let old = predecessor.processID, let new = status.visibleProcessID, old != new {
            self = .restarted
        } else {
            self = status.upgrade == nil ? .unchanged : .open
        }
    }
}
