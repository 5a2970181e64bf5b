// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore
import Succession

/// Brings the beginning of a drain to a handler on its event loop, at the moment that is its
/// connection's.
///
/// Used on the event loop.
final class DrainHook {
    private var scheduled: Scheduled<Void>?
    private var isCancelled = false

    /// Calls `body` once, unless it is cancelled before; never in the middle of the call that sets
    /// it up.
    init(
        _ entry: ConnectionRegistry.Entry, _ moment: DrainMoment, on eventLoop: any EventLoop,
        _ body: @escaping () -> Void
    ) {
        let bound = NIOLoopBound((hook: self, body: body), eventLoop: eventLoop)
        entry.onDrain { length in
            guard let delay = moment.delay(ofDrain: length) else { return }
            eventLoop.execute {
                let (hook, body) = bound.value
                hook.schedule(after: delay, on: eventLoop, body)
            }
        }
    }

    func cancel() {
        isCancelled = true
        scheduled?.cancel()
    }

    private func schedule(
        after delay: TimeAmount, on eventLoop: any EventLoop, _ body: @escaping () -> Void
    ) {
        if isCancelled { return }
        if delay == .zero { return body() }
        scheduled = eventLoop.assumeIsolated().scheduleTask(in: delay, body)
    }
}
#endif
