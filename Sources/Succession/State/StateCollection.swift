// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// The application's writing of the state for its successor, with a deadline.
///
/// Off the control thread: there may be gigabytes to write. What does not come back is left alone;
/// the upgrade fails.
@ControlThread
final class StateCollection {
    typealias Provider = @Sendable (inout StateWriter) throws -> Void

    private let outcome = OneShot<Result<HandedState?, any Error>>()

    func collect(
        from provider: @escaping Provider, within deadline: Duration
    ) async throws -> HandedState? {
        let outcome = self.outcome
        let timer = ControlThread.schedule(after: deadline, of: .ownTime) {
            outcome.fulfil(
                .failure(
                    SuccessionError(.system, "it was not written within \(deadline)")))
        }
        Task.detached {
            outcome.fulfil(
                Result {
                    var writer = StateWriter()
                    try provider(&writer)
                    return try writer.finish()
                })
        }
        defer { timer.cancel() }
        return try await outcome.value().get()
    }

    /// Ends the wait.
    func cancel() {
        outcome.fulfil(.failure(SuccessionError(.cancelled, "the generation was told to leave")))
    }
}
