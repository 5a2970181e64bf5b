// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Synchronization

/// The open connections of a generation: what a drain waits for, what its deadline cuts, what
/// `swapctl status` shows.
///
/// ``Listener/accept()`` and the adapters fill it. A server with an accept loop of its own calls
/// ``register(peer:protocol:cut:)``.
public final class ConnectionRegistry: Sendable {
    /// One open connection; it counts until ``close()``.
    public final class Entry: Sendable {
        private let id: UInt64
        private let registry: ConnectionRegistry

        init(id: UInt64, registry: ConnectionRegistry) {
            self.id = id
            self.registry = registry
        }

        deinit { close() }

        /// The connection is over; later calls do nothing.
        public func close() {
            registry.remove(id)
        }

        /// Sets what `swapctl status` shows as the protocol: `h2`, `websocket`.
        public func setProtocol(_ proto: String) {
            registry.update(id) { $0.proto = proto }
        }

        /// Says that the other end is owed nothing: it has all that it asked for, and has been told
        /// that the connection ends.
        ///
        /// False takes that back. The connection counts as open until ``close()``, and the deadline of a drain closes it
        /// like any other, but does not count it as cut.
        public func settled(_ isSettled: Bool = true) {
            registry.update(id) { $0.isSettled = isSettled }
        }

        /// Has a hook called once when the generation begins to drain, with the time until the
        /// deadline: the place to ask the other end to go.
        ///
        /// It is called on any thread and must not block; at once if the generation drains already,
        /// and not at all for a connection that is over.
        public func onDrain(_ hook: @escaping @Sendable (Duration) -> Void) {
            if let remaining = registry.drainTime(orAdd: hook, to: id) { hook(remaining) }
        }

        /// Has a hook called, as that of ``onDrain(_:)`` is, each time that the deadline of a drain
        /// is brought forward.
        public func onShorterDrain(_ hook: @escaping @Sendable (Duration) -> Void) {
            registry.update(id) { $0.whenShortened.append(hook) }
        }
    }

    struct Record: Sendable {
        let peer: String
        var proto: String
        let since: UInt64
        let cut: @Sendable () -> Void
        /// The other end is owed nothing.
        var isSettled = false
        /// Returned by ``beginCut()``.
        var isCut = false
        var whenDraining: [@Sendable (Duration) -> Void] = []
        var whenShortened: [@Sendable (Duration) -> Void] = []
    }

    private struct State {
        var records: [UInt64: Record] = [:]
        var lastID: UInt64 = 0
        var whenEmpty: [OneShot<Void>] = []
        /// Called once, when the next connection is over; by number.
        var whenOneCloses: [UInt64: @Sendable () -> Void] = [:]
        var cutCount = 0
        /// Monotonic nanoseconds; nil before the drain.
        var drainDeadline: UInt64?
    }

    private let state = Mutex(State())

    init() {}

    /// How many connections are open.
    public var count: Int { state.withLock { $0.records.count } }

    /// How many were closed by a deadline although they were owed something.
    public var cutCount: Int { state.withLock { $0.cutCount } }

    /// Counts a connection until the entry is closed or let go.
    ///
    /// `cut` is called at most once, on any thread, when the deadline of a drain has passed; it
    /// must make the connection end soon and must not block.
    public func register(
        peer: String, protocol proto: String, cut: @escaping @Sendable () -> Void
    ) -> Entry {
        let record = Record(
            peer: peer, proto: proto, since: Syscall.monotonicNanoseconds(), cut: cut)
        let id = state.withLock { state in
            state.lastID += 1
            state.records[state.lastID] = record
            return state.lastID
        }
        return Entry(id: id, registry: self)
    }

    private func remove(_ id: UInt64) {
        var hooks: [@Sendable () -> Void] = []
        let waiters = state.withLock { state -> [OneShot<Void>] in
            guard state.records.removeValue(forKey: id) != nil else { return [] }
            hooks = Array(state.whenOneCloses.values)
            state.whenOneCloses = [:]
            guard state.records.isEmpty else { return [] }
            defer { state.whenEmpty = [] }
            return state.whenEmpty
        }
        for waiter in waiters { waiter.fulfil(()) }
        for hook in hooks { hook() }
    }

    /// Has a hook called once, on any thread, when a connection has been closed; returns a number
    /// for ``forgetClose(_:)``.
    package func onNextClose(_ hook: @escaping @Sendable () -> Void) -> UInt64 {
        state.withLock { state in
            state.lastID += 1
            state.whenOneCloses[state.lastID] = hook
            return state.lastID
        }
    }

    /// Takes a hook back; one that was called is not an error.
    package func forgetClose(_ number: UInt64) {
        state.withLock { _ = $0.whenOneCloses.removeValue(forKey: number) }
    }

    /// Returns when a connection has been closed or the time has passed.
    @ControlThread
    func untilOneCloses(within limit: Duration) async {
        let signal = OneShot<Void>()
        let hook = onNextClose { signal.fulfil(()) }
        let timer = ControlThread.schedule(after: limit) { signal.fulfil(()) }
        await signal.value()
        timer.cancel()
        forgetClose(hook)
    }

    private func update(_ id: UInt64, _ change: (inout Record) -> Void) {
        state.withLock { state in
            guard var record = state.records[id] else { return }
            change(&record)
            state.records[id] = record
        }
    }

    /// The time left if the generation drains; else nil, and the hook is kept.
    private func drainTime(
        orAdd hook: @escaping @Sendable (Duration) -> Void, to id: UInt64
    ) -> Duration? {
        state.withLock { state in
            guard let deadline = state.drainDeadline else {
                state.records[id]?.whenDraining.append(hook)
                return nil
            }
            let now = Syscall.monotonicNanoseconds()
            return .nanoseconds(Int64(clamping: deadline > now ? deadline - now : 0))
        }
    }

    /// Tells every connection that wants to know that the generation drains.
    func beginDrain(deadline: Duration) {
        setDeadline(deadline, telling: \.whenDraining)
    }

    /// Tells every connection that wants to know that the deadline comes earlier.
    func shortenDrain(to deadline: Duration) {
        setDeadline(deadline, telling: \.whenShortened)
    }

    private func setDeadline(
        _ deadline: Duration, telling hooks: (Record) -> [@Sendable (Duration) -> Void]
    ) {
        let hooks = state.withLock { state in
            state.drainDeadline = Syscall.monotonicNanoseconds() + deadline.nanosecondsClamped
            return state.records.values.flatMap(hooks)
        }
        for hook in hooks { hook(deadline) }
    }

    /// Returns when no connection is open.
    func untilEmpty() async {
        let signal = OneShot<Void>()
        state.withLock { state in
            if state.records.isEmpty {
                signal.fulfil(())
            } else {
                state.whenEmpty.append(signal)
            }
        }
        await signal.value()
    }

    /// Counts as cut what is open, not settled and not counted before; returns all that is open and
    /// was not returned before, and the caller calls `cut` on each.
    func beginCut() -> [Record] {
        state.withLock { state in
            let records = state.records.filter { !$0.value.isCut }
            for id in records.keys { state.records[id]?.isCut = true }
            state.cutCount += records.values.count { !$0.isSettled }
            return Array(records.values)
        }
    }

    /// The connections that have been open longest, oldest first.
    func oldest(_ limit: Int) -> [Record] {
        Self.oldest(limit, of: state.withLock { Array($0.records.values) })
    }

    static func oldest(_ limit: Int, of records: [Record]) -> [Record] {
        Array(records.sorted { $0.since < $1.since }.prefix(limit))
    }
}
