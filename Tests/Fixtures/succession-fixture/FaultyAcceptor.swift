// SPDX-License-Identifier: Apache-2.0

import Succession
import Synchronization

/// A framework's adapter that takes nothing from the queue, and fails in its turns.
final class FaultyAcceptor: Acceptor {
    private let fault: Fault
    private let hasBegun = Atomic(false)

    /// Nil: the fault is another one's.
    init?(_ fault: Fault) {
        guard fault == .resumeFails || fault == .pauseHangs else { return nil }
        self.fault = fault
    }

    func resume() async throws {
        let isAgain = hasBegun.exchange(true, ordering: .relaxed)
        if fault == .resumeFails, isAgain { throw UsageError("told not to resume") }
    }

    func pause() async throws {
        if fault == .pauseHangs { try await Task.sleep(for: .seconds(3_600)) }
    }

    func stop() async {}
}
