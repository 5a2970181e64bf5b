// SPDX-License-Identifier: Apache-2.0

/// What takes connections or datagrams from a listener in the place of ``Listener/accept()``: a
/// server framework's adapter.
///
/// One generation accepts at a time. An adapter attached with ``Listener/attach(_:)`` is created
/// paused, and is told when its turn begins and ends. The calls come one after the other, never two
/// at once.
public protocol Acceptor: Sendable {
    /// Begins, or begins again, to take from the queue; returns when that is in effect.
    func resume() async throws
    /// Stops taking from the queue and closes nothing; returns when nothing more is taken and what
    /// was taken is with the application. May be followed by ``resume()``: an upgrade that fails
    /// late is undone that way.
    func pause() async throws
    /// Lets go of the listener for good. Follows a ``pause()``.
    func stop() async
}
