// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// The one thread on which the package's own state lives: the control socket, the channel, timers,
/// child processes.
///
/// A thread of its own, and not the cooperative pool: an operator must get an answer, and a
/// deadline must fire, while the application keeps every pool thread busy. Code isolated to it must
/// never block. Public functions that come here are `@concurrent`: without that the task of whoever
/// calls them would go on here, and compute here.
@globalActor
actor ControlThread {
    static let shared = ControlThread()

    private let loop = ReadinessLoop.shared

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        loop.asUnownedSerialExecutor()
    }
}

extension ControlThread {
    /// Calls `handler` whenever the descriptor is ready, until ``unwatch(_:)``.
    ///
    /// The descriptor must stay open while it is watched. Where others may close it, its number may
    /// be somebody else's by the time of the end: the id that is returned tells. Readiness is
    /// level-triggered. The corresponding C function is `epoll_ctl`.
    @ControlThread
    @discardableResult
    static func watch(
        _ descriptor: CInt, _ interest: Syscall.Readiness = .readable,
        handler: @escaping @ControlThread () -> Void
    ) throws(Errno) -> UInt64 {
        try Reactor.shared.watch(descriptor, interest, handler: handler)
    }

    /// Ends ``watch(_:_:handler:)``; unknown descriptors are not an error.
    @ControlThread
    static func unwatch(_ descriptor: CInt) {
        Reactor.shared.unwatch(descriptor)
    }

    /// Ends the watch of this id; one that has ended is not an error.
    @ControlThread
    static func unwatch(_ descriptor: CInt, id: UInt64) {
        Reactor.shared.unwatch(descriptor, id: id)
    }

    /// Calls `handler` once after a delay, unless the timer is cancelled before.
    ///
    /// Everything that had arrived by then has been read before. The time during which somebody
    /// else had to answer is measured by ``Timer/Clock/ownTime``.
    @ControlThread
    static func schedule(
        after delay: Duration, of clock: Timer.Clock = .monotonic,
        handler: @escaping @ControlThread () -> Void
    ) -> Timer {
        Reactor.shared.schedule(after: delay, of: clock, handler: handler)
    }

    /// For how long this process has stood still so far, in nanoseconds.
    @ControlThread
    static var standstill: UInt64 { ReadinessLoop.shared.stoodStill }

    /// The time of ``Timer/Clock/ownTime``.
    @ControlThread
    static func ownNanoseconds() -> UInt64 { ReadinessLoop.shared.ownNanoseconds() }

    /// Begins a task that stays on this thread; nothing it calls may block.
    @ControlThread
    static func begin(_ body: @escaping @ControlThread () async -> Void) {
        Task(executorPreference: ReadinessLoop.shared) { await body() }
    }

    /// Returns after `delay` or when the task is cancelled, whichever is first.
    @ControlThread
    static func pause(for delay: Duration) async {
        let signal = OneShot<Void>()
        let timer = schedule(after: delay) { signal.fulfil(()) }
        await withTaskCancellationHandler {
            await signal.value()
        } onCancel: {
            signal.fulfil(())
        }
        timer.cancel()
    }
}
