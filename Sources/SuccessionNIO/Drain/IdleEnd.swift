// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore
import Succession

/// When a connection that nobody uses is to be closed in a drain: at its moment, unless it has been
/// used a moment ago.
///
/// Used on the event loop.
final class IdleEnd {
    /// Later would be too close to the deadline.
    private static let latestPart = 0.9
    /// In this part of the drain, or in a second, a head that is on its way goes on.
    private static let stallPart = 0.1

    /// Its moment has come.
    private(set) var hasBegun = false
    private let minimumTime: TimeAmount
    private let eventLoop: any EventLoop
    private let whenItMayHaveCome: () -> Void
    private var lastUse = NIODeadline.now()
    private var latest = NIODeadline.distantFuture
    private var stall = TimeAmount.seconds(1)
    private var hook: DrainHook?
    private var scheduled: Scheduled<Void>?

    /// - Parameter minimumTime: for how long it is left open after it was used, unless the deadline
    ///   comes first.
    /// - Parameter whenItMayHaveCome: called at the times at which ``hasCome(partOfHead:)`` is to be
    ///   asked.
    init(
        _ entry: ConnectionRegistry.Entry, _ moment: DrainMoment, _ minimumTime: TimeAmount,
        on eventLoop: any EventLoop, _ whenItMayHaveCome: @escaping () -> Void
    ) {
        self.minimumTime = minimumTime
        self.eventLoop = eventLoop
        self.whenItMayHaveCome = whenItMayHaveCome
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let note = { @Sendable (length: Duration) in
            let now = NIODeadline.now()
            eventLoop.execute { bound.value.drains(since: now, length) }
        }
        // Before its moment, which may come at once.
        entry.onShorterDrain(note)
        entry.onDrain(note)
        hook = DrainHook(entry, moment, on: eventLoop) { [weak self] in
            self?.hasBegun = true
            whenItMayHaveCome()
        }
    }

    /// It has just served somebody.
    func used() {
        lastUse = .now()
    }

    /// Whether the connection is to be closed now; if not yet, it will be asked for again.
    ///
    /// - Parameter lastPart: when the last part came of a head that is not whole; nil: none has.
    func hasCome(partOfHead lastPart: NIODeadline?) -> Bool {
        guard hasBegun else { return false }
        var due = min((lastPart ?? lastUse) + minimumTime, latest)
        if let lastPart { due = max(due, lastPart + stall) }
        if due <= .now() { return true }
        scheduled?.cancel()
        scheduled = eventLoop.assumeIsolated().scheduleTask(deadline: due, whenItMayHaveCome)
        return false
    }

    func cancel() {
        hook?.cancel()
        scheduled?.cancel()
    }

    private func drains(since now: NIODeadline, _ length: Duration) {
        latest = min(latest, now + TimeAmount(length * Self.latestPart))
        stall = min(stall, TimeAmount(length * Self.stallPart))
        if scheduled != nil { whenItMayHaveCome() }
    }
}
#endif
