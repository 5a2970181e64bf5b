// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import Synchronization

/// Somebody asks that the configuration be read again, and waits for the answer.
///
/// Answer with ``accept()`` or ``refuse(_:)``; the first answer counts. A request that is let go
/// without one is refused: nobody waits for a loop that has given up. One request is out at a time.
public final class ReloadRequest: Sendable {
    /// Who asks, for the log: `pid 4102`, `SIGHUP`; several that came while an earlier request was
    /// out are answered together.
    public let askedBy: [String]

    private let answer: Mutex<(@Sendable (Failure?) -> Void)?>

    init(askedBy: [String], answer: @escaping @Sendable (Failure?) -> Void) {
        self.askedBy = askedBy
        self.answer = Mutex(answer)
    }

    deinit {
        give(
            Failure(
                code: .unanswered,
                reason:
                    "the application let the request go without an answer: what it uses now is not known"
            ))
    }

    /// The new configuration is in force: every request that comes from now on finds it.
    public func accept() {
        give(nil)
    }

    /// The new configuration will not do, and the old one is in force as before; the operator is
    /// shown `reason`.
    public func refuse(_ reason: String) {
        give(Failure(code: .application, reason: reason))
    }

    private func give(_ failure: Failure?) {
        let answer = answer.withLock { answer in
            defer { answer = nil }
            return answer
        }
        answer?(failure)
    }
}
