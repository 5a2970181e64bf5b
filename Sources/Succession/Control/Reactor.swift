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

    func schedule(after delay: Duration, handler: @escaping @ControlThread () -> Void) -> Timer {
        let timer = Timer(
            due: Syscall.monotonicNanoseconds() &+ delay.nanosecondsClamped, handler: handler)
        timers.append(timer)
        ReadinessLoop.shared.bringForward(to: timer.due)
        return timer
    }

    /// Calls the handlers of what is ready, then those of what is due.
    func deliver(_ events: [Syscall.Event]) {
        let current = lastID
        for event in events {
            guard let watch = watches[event.descriptor], watch.id <= current else { continue }
            watch.handler()
        }
        fireTimers()
        let next = timers.lazy.filter { !$0.isCancelled }.map(\.due).min() ?? .max
        ReadinessLoop.shared.setDeadline(next)
    }

    private func fireTimers() {
        let now = Syscall.monotonicNanoseconds()
        let due = timers.filter { $0.due <= now }
        timers.removeAll { $0.due <= now || $0.isCancelled }
        for timer in due.sorted(by: { $0.due < $1.due }) { timer.fire() }
    }
}

/// A call that is to be made once, later.
@ControlThread
final class Timer {
    let due: UInt64
    private var handler: (@ControlThread () -> Void)?

    init(due: UInt64, handler: @escaping @ControlThread () -> Void) {
        self.due = due
        self.handler = handler
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
