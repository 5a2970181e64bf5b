// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import Synchronization

/// The last phase of a generation: it finishes what it has, until a deadline.
@ControlThread
final class DrainRun {
    typealias Report =
        @ControlThread (SuccessionEvent.Level, String, SuccessionEvent.Kind) -> Void

    private let beganAt = Syscall.monotonicNanoseconds()
    private let connections: ConnectionRegistry
    private let exitGrace: Duration?
    private let report: Report
    private let publish: @ControlThread (any WireMessage) -> Void
    private let whenOver: @ControlThread () -> Void
    /// In own time: connections that nobody served meanwhile have not had their time.
    private var deadlineAt: UInt64
    private var deadlineTimer: Timer?
    private var progressTimer: Timer?
    private(set) var isOver = false
    private var isHeld = false
    /// Over but for what holds it.
    private var isPending = false
    private var isExpired = false
    private var hasStopped = false
    /// Nil until it has been said.
    private(set) var lastWord: Wire.Drained?
    private nonisolated let hasFinished = Atomic(false)
    private let drained = OneShot<Int>()

    init(
        _ connections: ConnectionRegistry, deadline: Duration, exitGrace: Duration?,
        report: @escaping Report,
        publish: @escaping @ControlThread (any WireMessage) -> Void,
        whenOver: @escaping @ControlThread () -> Void
    ) {
        self.connections = connections
        self.exitGrace = exitGrace
        self.report = report
        self.publish = publish
        self.whenOver = whenOver
        deadlineAt = ControlThread.ownNanoseconds() &+ deadline.nanosecondsClamped
    }

    /// Time left until the deadline.
    var remaining: Duration {
        let now = ControlThread.ownNanoseconds()
        return .nanoseconds(Int64(clamping: deadlineAt > now ? deadlineAt - now : 0))
    }

    func start() {
        ProcessExit.onExit { [self] in sayLastWord() }
        arm()
        let count = connections.count
        report(
            .info, "drains \(count) connections, at most \(remaining.components.seconds) s",
            .drainBegan(connections: count, deadline: remaining))
        progress()
    }

    /// To be called when nothing more is accepted: from now on no connection left means drained.
    func waitForConnections() {
        hasStopped = true
        if isExpired { return cut() }
        ControlThread.begin { [weak self, connections] in
            await connections.untilEmpty()
            self?.finish()
        }
    }

    /// Brings the deadline forward; a later one than the present changes nothing.
    func shorten(to deadline: Duration) {
        let wanted = ControlThread.ownNanoseconds() &+ deadline.nanosecondsClamped
        guard wanted < deadlineAt, !isOver else { return }
        deadlineAt = wanted
        arm()
        connections.shortenDrain(to: deadline)
        progress()
    }

    /// Keeps the process here, whatever becomes of its connections, until ``release()``.
    func hold() { isHeld = true }

    func release() {
        isHeld = false
        if isPending { finish() }
    }

    /// Returns how many connections were cut, once none is left that the deadline has spared.
    func untilDrained() async -> Int { await drained.value() }

    /// What an operator is told now.
    var progressReport: Wire.Draining {
        Wire.Draining(connections: connections.count, remaining: remaining)
    }

    private func arm() {
        deadlineTimer?.cancel()
        deadlineTimer = ControlThread.schedule(after: remaining, of: .ownTime) { [weak self] in
            self?.expire()
        }
    }

    private func progress() {
        guard !isOver else { return }
        publish(progressReport)
        let count = connections.count
        report(
            .debug, "draining: \(count) connections",
            .drainProgress(connections: count, age: .since(beganAt), remaining: remaining))
        progressTimer?.cancel()
        progressTimer = ControlThread.schedule(after: .milliseconds(500)) { [weak self] in
            self?.progress()
        }
    }

    private func expire() {
        guard !isOver, !isExpired else { return }
        isExpired = true
        scheduleExit()
        // What is accepted until the acceptors have stopped is to be cut too; but one that hangs must
        // not keep the rest open.
        if hasStopped { return cut() }
        _ = ControlThread.schedule(after: .seconds(1)) { [weak self] in
            guard let self, !isOver else { return }
            report(
                .error, "the application still hangs where it was told to stop accepting", .note)
            cut()
        }
    }

    private func cut() {
        let records = connections.beginCut()
        let owed = records.filter { !$0.isSettled }
        if !owed.isEmpty {
            let names = ConnectionRegistry.oldest(5, of: owed).map { "\($0.proto) \($0.peer)" }
            report(
                .warning,
                "the deadline of the drain has passed: cut \(owed.count) connections (\(names.joined(separator: ", ")))",
                .note)
        }
        // Told before it is done: an application whose last connection ends may leave in the same
        // moment.
        finish()
        for record in records { record.cut() }
    }

    private func finish() {
        guard !isOver else { return }
        isPending = isHeld
        if isHeld { return }
        isOver = true
        hasFinished.store(true, ordering: .relaxed)
        deadlineTimer?.cancel()
        progressTimer?.cancel()
        let message = Wire.Drained(cut: connections.cutCount)
        lastWord = message
        publish(message)
        report(
            .info, "drained, \(connections.cutCount) connections cut",
            .drainEnded(cut: connections.cutCount, duration: .since(beganAt)))
        whenOver()
        drained.fulfil(connections.cutCount)
        // Work that is not counted as a connection may still go on: it has what is left of the
        // deadline, and the grace.
        if remaining > .zero {
            deadlineTimer = ControlThread.schedule(after: remaining, of: .ownTime) {
                [weak self] in
                self?.scheduleExit()
            }
        }
    }

    /// Called on the thread on which the process leaves: the application may return from main
    /// before the control thread has seen its last connection end, and an operator must not take
    /// that for a death.
    private nonisolated func sayLastWord() {
        guard !hasFinished.load(ordering: .relaxed),
            let said = try? DescriptorReserve.shared.eventDescriptor()
        else {
            return
        }
        Task { @ControlThread in
            // What is open now is cut by the end of the process.
            _ = connections.beginCut()
            isHeld = false
            finish()
            Syscall.signalEvent(said.rawValue)
        }
        _ = try? Syscall.poll(said.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 500)
    }

    private func scheduleExit() {
        guard let exitGrace else { return }
        let report = self.report
        _ = ControlThread.schedule(after: exitGrace) { [weak self] in
            if let self, isHeld { return scheduleExit() }
            // On this thread, and before the handlers: they would wait for it.
            if let self, !isOver { cut() }
            report(
                .error,
                "still running \(exitGrace) after the deadline of the drain: ending the process",
                .note)
            ProcessExit.runHandlers()
            ProcessExit.immediately(status: 70)
        }
    }
}
