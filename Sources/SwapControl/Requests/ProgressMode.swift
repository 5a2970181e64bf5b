// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

/// Whether an observer is also called while nothing happens.
package enum ProgressMode: Sendable {
    /// Only for what the server reports.
    case quiet
    /// Ten times a second as well, with `waiting`, to show the time that passes.
    case live
}

extension ControlConnection {
    /// Receives the next answer, and reports `waiting` while there is none; nil is end-of-file.
    ///
    /// The deadline is in monotonic nanoseconds. Throws what ``receive(deadline:takesSignals:)`` throws, and a signal.
    func next(
        deadline: UInt64, progressMode: ProgressMode, _ observe: (ControlEvent) -> Void
    ) throws(ControlError) -> ControlAnswer? {
        while true {
            let pause =
                switch progressMode {
                case .quiet: deadline
                case .live: min(deadline, Clock.after(milliseconds: 100))
                }
            do {
                return try receive(deadline: pause, takesSignals: true)
            } catch {
                guard error.isTimeout, pause < deadline else { throw error }
                observe(.waiting)
            }
        }
    }
}
