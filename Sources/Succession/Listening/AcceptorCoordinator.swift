// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// Has the listeners of a generation accept or not, one order after the other.
///
/// An acceptor that is slow to pause must not come to it after the generation has already accepted
/// again: each order waits until the one before it has been carried out.
@ControlThread
final class AcceptorCoordinator {
    private let listeners: @Sendable () -> [Listener]
    private var last: OneShot<Void>?
    private var isPaused = false

    init(_ listeners: @escaping @Sendable () -> [Listener]) {
        self.listeners = listeners
    }

    func resume() async throws {
        try await order {
            isPaused = false
            for listener in $0 { try await listener.resumeAccepting() }
        }
    }

    /// Leaves none out because another one could not; throws the first error at the end.
    func resumeAll() async throws {
        try await order { listeners in
            isPaused = false
            var failure: (any Error)?
            for listener in listeners {
                do {
                    try await listener.resumeAccepting()
                } catch {
                    failure = failure ?? error
                }
            }
            if let failure { throw failure }
        }
    }

    func pause() async throws {
        try await order {
            for listener in $0 { try await listener.pauseAccepting() }
            isPaused = true
        }
    }

    /// Ends accepting for good, and lets go of the listeners unless they are to be kept; calls
    /// `removing` for each before that.
    func stop(
        keeping: @escaping @ControlThread () -> Bool,
        removing: @escaping @ControlThread (Listener) -> Void
    ) async {
        try? await order { listeners in
            if !isPaused { for listener in listeners { try? await listener.pauseAccepting() } }
            for listener in listeners {
                removing(listener)
                await listener.stopAccepting()
                if !keeping() { listener.letGo() }
            }
        }
    }

    /// Closes what ``stop(keeping:removing:)`` has kept.
    func letGo() async {
        try? await order { for listener in $0 { listener.letGo() } }
    }

    private func order(_ body: @ControlThread ([Listener]) async throws -> Void) async throws {
        let (previous, listeners) = (last, self.listeners())
        let carriedOut = OneShot<Void>()
        last = carriedOut
        defer { carriedOut.fulfil(()) }
        await previous?.value()
        try await body(listeners)
    }
}
