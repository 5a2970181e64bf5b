// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

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

/// A call that is to be made once, later.
@ControlThread
final class Timer {
    /// What the delay is measured by.
    enum Clock: Sendable {
        case monotonic
        /// ``OwnTime``: for the time that others are given to answer.
        case ownTime
    }

    let clock: Clock
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
    func cancel() {
        handler = nil
    }

    func fire() {
        let handler = self.handler
        self.handler = nil
        handler?()
    }
}

extension Duration {
    /// Whole nanoseconds, between 0 and half a century: enough for any deadline, and no overflow.
    var nanosecondsClamped: UInt64 {
        let limit: Int64 = 50 * 365 * 86_400
        let (seconds, attoseconds) = components
        if seconds < 0 || attoseconds < 0 { return 0 }
        return UInt64(min(seconds, limit)) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }

    /// Whole milliseconds, for the wire.
    var millisecondsClamped: Int { Int(nanosecondsClamped / 1_000_000) }
    /// Whole microseconds, for the wire.
    var microsecondsClamped: Int { Int(nanosecondsClamped / 1_000) }
}
