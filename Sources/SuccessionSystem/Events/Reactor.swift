// SPDX-License-Identifier: Apache-2.0

package import SystemPackage

/// Who is to be called for which descriptor and at what time.
@ControlThread
final class Reactor {
    static let shared = Reactor()

    private struct Watch {
        let handler: @ControlThread () -> Void
        /// Tells a watch from its predecessor on the same number, for which an event may still be
        /// in hand.
        let id: UInt64
    }

    private var watches: [CInt: Watch] = [:]
    private var timers: [Timer] = []
    private var lastID: UInt64 = 0

    func watch(
        _ descriptor: CInt, _ interest: Syscall.Readiness,
        handler: @escaping @ControlThread () -> Void
    ) throws(Errno) -> UInt64 {
        try ReadinessLoop.shared.add(descriptor, interest)
        lastID += 1
        watches[descriptor] = Watch(handler: handler, id: lastID)
        return lastID
    }

    /// Ends one watch, unless the number has come to another one since.
    func unwatch(_ descriptor: CInt, id: UInt64) {
        if watches[descriptor]?.id == id { unwatch(descriptor) }
    }

    func unwatch(_ descriptor: CInt) {
        guard watches.removeValue(forKey: descriptor) != nil else { return }
        ReadinessLoop.shared.remove(descriptor)
    }

    func schedule(
        after delay: Duration, of clock: Timer.Clock, handler: @escaping @ControlThread () -> Void
    ) -> Timer {
        let loop = ReadinessLoop.shared
        let now =
            switch clock {
            case .monotonic: Syscall.monotonicNanoseconds()
            case .ownTime: loop.ownNanoseconds()
            }
        let timer = Timer(clock, due: now &+ delay.nanosecondsClamped, handler: handler)
        timers.append(timer)
        loop.bringForward(
            to: timer.due(stoodStill: loop.stoodStill), countsOwnTime: clock == .ownTime)
        return timer
    }

    /// Calls the handlers of what is ready, then those of what was due when it was looked for what
    /// is ready.
    ///
    /// A timer is fired by that order only once everything has been read that had arrived when it
    /// became due: a process that was stopped and goes on finds its deadlines past and the answers
    /// waiting. `asOf` is nil if there may be more to read.
    func deliver(_ events: [Syscall.Event], asOf: UInt64?) {
        let current = lastID
        for event in events {
            guard let watch = watches[event.descriptor], watch.id <= current else { continue }
            watch.handler()
        }
        let loop = ReadinessLoop.shared
        if let asOf { fireTimers(asOf: asOf, stoodStill: loop.stoodStill) }
        timers.removeAll { $0.isCancelled }
        let stoodStill = loop.stoodStill
        loop.setDeadline(
            timers.map { $0.due(stoodStill: stoodStill) }.min() ?? .max,
            countsOwnTime: timers.contains { $0.clock == .ownTime })
    }

    private func fireTimers(asOf now: UInt64, stoodStill: UInt64) {
        let due = timers.filter { $0.due(stoodStill: stoodStill) <= now }
        timers.removeAll { $0.due(stoodStill: stoodStill) <= now }
        let inOrder = due.sorted {
            $0.due(stoodStill: stoodStill) < $1.due(stoodStill: stoodStill)
        }
        for timer in inOrder { timer.fire() }
    }
}

extension ReadinessLoop {
    /// The loop of ``ControlThread``.
    package static let shared = ReadinessLoop { events, asOf in
        Task { @ControlThread in Reactor.shared.deliver(events, asOf: asOf) }
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
    package static func watch(
        _ descriptor: CInt, _ interest: Syscall.Readiness = .readable,
        handler: @escaping @ControlThread () -> Void
    ) throws(Errno) -> UInt64 {
        try Reactor.shared.watch(descriptor, interest, handler: handler)
    }

    /// Ends ``watch(_:_:handler:)``; unknown descriptors are not an error.
    @ControlThread
    package static func unwatch(_ descriptor: CInt) {
        Reactor.shared.unwatch(descriptor)
    }

    /// Ends the watch of this id; one that has ended is not an error.
    @ControlThread
    package static func unwatch(_ descriptor: CInt, id: UInt64) {
        Reactor.shared.unwatch(descriptor, id: id)
    }

    /// Calls `handler` once after a delay, unless the timer is cancelled before.
    ///
    /// Everything that had arrived by then has been read before. The time during which somebody
    /// else had to answer is measured by ``Timer/Clock/ownTime``.
    @ControlThread
    package static func schedule(
        after delay: Duration, of clock: Timer.Clock = .monotonic,
        handler: @escaping @ControlThread () -> Void
    ) -> Timer {
        Reactor.shared.schedule(after: delay, of: clock, handler: handler)
    }

    /// For how long this process has stood still so far, in nanoseconds.
    @ControlThread
    package static var standstill: UInt64 { ReadinessLoop.shared.stoodStill }

    /// The time of ``Timer/Clock/ownTime``.
    @ControlThread
    package static func ownNanoseconds() -> UInt64 { ReadinessLoop.shared.ownNanoseconds() }

    /// Begins a task that stays on this thread; nothing it calls may block.
    @ControlThread
    package static func begin(_ body: @escaping @ControlThread () async -> Void) {
        Task(executorPreference: ReadinessLoop.shared) { await body() }
    }

    /// Returns after `delay` or when the task is cancelled, whichever is first.
    @ControlThread
    package static func pause(for delay: Duration) async {
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
