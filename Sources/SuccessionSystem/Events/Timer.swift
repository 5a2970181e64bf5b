// SPDX-License-Identifier: Apache-2.0

/// A call that is to be made once, later.
@ControlThread
package final class Timer {
    /// What the delay is measured by.
    package enum Clock: Sendable {
        case monotonic
        /// ``OwnTime``: for the time that others are given to answer.
        case ownTime
    }

    package let clock: Clock
    private let due: UInt64
    private var handler: (@ControlThread () -> Void)?

    init(_ clock: Clock, due: UInt64, handler: @escaping @ControlThread () -> Void) {
        self.clock = clock
        self.due = due
        self.handler = handler
    }

    /// The monotonic time at which the call is to be made.
    func due(stoodStill: UInt64) -> UInt64 {
        switch clock {
        case .monotonic: due
        case .ownTime: due &+ stoodStill
        }
    }

    var isCancelled: Bool { handler == nil }

    /// Takes the call back; nothing happens if it was made already.
    package func cancel() {
        handler = nil
    }

    func fire() {
        let handler = self.handler
        self.handler = nil
        handler?()
    }
}
