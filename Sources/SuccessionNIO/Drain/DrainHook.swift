// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore
import Succession

/// Brings the beginning of a drain to a handler on its event loop, at the moment that is its
/// connection's.
///
/// Used on the event loop.
final class DrainHook {
    private var scheduled: (task: Scheduled<Void>, time: NIODeadline)?
    /// Called or cancelled.
    private var isOver = false

    /// Calls `body` once, unless it is cancelled before; never in the middle of the call that sets
    /// it up.
    ///
    /// A deadline that is brought forward brings the moment forward.
    init(
        _ entry: ConnectionRegistry.Entry, _ moment: DrainMoment, on eventLoop: any EventLoop,
        _ body: @escaping () -> Void
    ) {
        let bound = NIOLoopBound((hook: self, body: body), eventLoop: eventLoop)
        let schedule = { @Sendable (length: Duration) in
            guard let delay = moment.delay(ofDrain: length) else { return }
            eventLoop.execute {
                let (hook, body) = bound.value
                hook.schedule(after: delay, on: eventLoop, body)
            }
        }
        entry.onShorterDrain(schedule)
        entry.onDrain(schedule)
    }

    func cancel() {
        isOver = true
        scheduled?.task.cancel()
    }

    private func schedule(
        after delay: TimeAmount, on eventLoop: any EventLoop, _ body: @escaping () -> Void
    ) {
        let time = NIODeadline.now() + delay
        if isOver { return }
        if let scheduled, scheduled.time <= time { return }
        scheduled?.task.cancel()
        let run = { [self] in
            isOver = true
            body()
        }
        if delay == .zero { return run() }
        let task = eventLoop.assumeIsolated().scheduleTask(deadline: time, run)
        scheduled = (task, time)
    }
}
#endif
