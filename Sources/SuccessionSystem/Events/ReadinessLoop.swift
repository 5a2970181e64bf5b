// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import SystemPackage

/// An epoll loop on a thread of its own that is also the executor of ``ControlThread``.
///
/// It waits, and leaves what is to be done to jobs: readiness is handed to ``Reactor`` as a task of
/// the control thread, so that every handler runs as isolated code which the compiler has checked,
/// and no other thread has to be woken for it.
///
/// As a task's preferred executor it is where the task goes on when what it waited for has come from
/// another thread: by itself a continuation resumes on the pool, whatever it is isolated to.
package final class ReadinessLoop: SerialExecutor, TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var deadline: UInt64 = .max
        /// Whether a timer is to pass over the time during which this process stands still.
        var countsOwnTime = false
        var ownTime = OwnTime(now: Syscall.monotonicNanoseconds())
        var isRunning = false
        var failure: Errno?
    }

    private let state = Mutex(State())
    private let thread = Atomic<UInt>(0)
    /// Gets what is ready, and when it was looked for; nil if there may be more.
    private let deliver: @Sendable ([Syscall.Event], UInt64?) -> Void
    private let epoll: OwnedDescriptor?
    private let wakeUp: OwnedDescriptor?

    init(deliver: @escaping @Sendable ([Syscall.Event], UInt64?) -> Void) {
        self.deliver = deliver
        do {
            let epoll = try Syscall.epollCreate()
            let wakeUp = try Syscall.eventDescriptor()
            try Syscall.epollAdd(epoll.rawValue, wakeUp.rawValue, .readable)
            (self.epoll, self.wakeUp) = (epoll, wakeUp)
        } catch {
            (epoll, wakeUp) = (nil, nil)
            state.withLock { $0.failure = error }
        }
    }

    /// Starts the thread; later calls do nothing.
    ///
    /// Throws what kept it from starting, most likely EMFILE. Without the thread isolated code
    /// would wait for ever, so every way into it begins here.
    package func start() throws(Errno) {
        let (failure, mustStart) = state.withLock { state in
            defer { if state.failure == nil { state.isRunning = true } }
            return (state.failure, !state.isRunning)
        }
        if let failure { throw failure }
        guard mustStart else { return }
        do {
            try startThread(name: "succession") { [self] in run() }
        } catch {
            state.withLock { $0.failure = error }
            throw error
        }
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isFirst = state.withLock { state in
            state.jobs.append(job)
            return state.jobs.count == 1
        }
        // The loop looks for jobs before it waits again.
        guard isFirst, !isCurrent, let wakeUp else { return }
        Syscall.signalEvent(wakeUp.rawValue)
    }

    /// Whether the caller runs on the control thread.
    package var isCurrent: Bool { thread.load(ordering: .relaxed) == currentThreadID() }

    /// When ``Reactor/deliver(_:asOf:)`` is to be called next, whatever happens before; the loop's
    /// own thread only.
    func setDeadline(_ deadline: UInt64, countsOwnTime: Bool) {
        state.withLock { state in
            state.deadline = deadline
            state.countsOwnTime = countsOwnTime
        }
    }

    /// No later than this.
    func bringForward(to deadline: UInt64, countsOwnTime: Bool) {
        state.withLock { state in
            state.deadline = min(state.deadline, deadline)
            state.countsOwnTime = state.countsOwnTime || countsOwnTime
        }
    }

    /// For how long this process has stood still so far, as far as a timer asked to know.
    var stoodStill: UInt64 { state.withLock { $0.ownTime.stoodStill } }

    /// The monotonic time without that.
    func ownNanoseconds() -> UInt64 { Syscall.monotonicNanoseconds() &- stoodStill }

    func add(_ descriptor: CInt, _ interest: Syscall.Readiness) throws(Errno) {
        guard let epoll else { throw .badFileDescriptor }
        try Syscall.epollAdd(epoll.rawValue, descriptor, interest)
    }

    func remove(_ descriptor: CInt) {
        guard let epoll else { return }
        try? Syscall.epollRemove(epoll.rawValue, descriptor)
    }

    private func run() {
        guard let epoll, let wakeUp else { return }
        SignalRelay.unblockAllInThisThread()
        // A hand-over waits for this thread several times, on both sides, while the application is
        // as busy as it likes.
        preferShortSlices()
        thread.store(currentThreadID(), ordering: .relaxed)
        while true {
            runJobs()
            let (asOf, timeout) = beginWait()
            var events = (try? Syscall.epollWait(epoll.rawValue, timeout: timeout)) ?? []
            endWait(of: timeout)
            let isAll = events.count < Syscall.eventsPerWait
            if let index = events.firstIndex(where: { $0.descriptor == wakeUp.rawValue }) {
                Syscall.drainEvent(wakeUp.rawValue)
                events.remove(at: index)
            }
            deliverIfAny(events, asOf: isAll ? asOf : nil)
        }
    }

    private func runJobs() {
        while true {
            let jobs = state.withLock { state in
                defer { state.jobs.removeAll(keepingCapacity: true) }
                return state.jobs
            }
            if jobs.isEmpty { return }
            for job in jobs {
                job.runSynchronously(
                    isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
            }
        }
    }

    /// The time before the wait, and how many milliseconds it may last.
    private func beginWait() -> (asOf: UInt64, timeout: CInt) {
        let now = Syscall.monotonicNanoseconds()
        return state.withLock { state in
            state.ownTime.isAwake(at: now)
            if !state.jobs.isEmpty { return (now, 0) }
            var deadline = state.deadline
            // Who sleeps for long cannot tell afterwards for how long it was stopped.
            if state.countsOwnTime { deadline = min(deadline, now + OwnTime.tick) }
            if deadline == .max { return (now, -1) }
            guard deadline > now else { return (now, 0) }
            return (now, CInt(min((deadline - now + 999_999) / 1_000_000, 60_000)))
        }
    }

    private func endWait(of timeout: CInt) {
        let now = Syscall.monotonicNanoseconds()
        state.withLock { state in
            let meant = timeout < 0 ? UInt64.max : UInt64(timeout) * 1_000_000
            state.ownTime.isAwake(at: now, afterWaiting: meant)
        }
    }

    private func deliverIfAny(_ events: [Syscall.Event], asOf: UInt64?) {
        let isDue = state.withLock { $0.deadline <= asOf ?? 0 }
        guard isDue || !events.isEmpty else { return }
        deliver(events, asOf)
    }
}
