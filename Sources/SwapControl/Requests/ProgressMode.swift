// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

/// Whether an observer wants to be told that nothing has happened.
package enum ProgressMode: Sendable {
    /// Only of what is heard.
    case quiet
    /// Ten times a second, so that it can show how time passes.
    case live
}

extension ControlConnection {
    /// Receives the next answer, and tells the observer while there is none; nil is end-of-file.
    func next(
        deadline: UInt64, progressMode: ProgressMode, _ observe: (ControlEvent) -> Void
    ) throws(ControlError) -> Message? {
        while true {
            let pause =
                progressMode == .quiet ? deadline : min(deadline, Clock.after(milliseconds: 100))
            do {
                try Interruption.check(awaiting: descriptor, deadline: pause)
                return try receive(deadline: pause)
            } catch {
                guard error.isTimeout, pause < deadline else { throw error }
                observe(.waiting)
            }
        }
    }
}
