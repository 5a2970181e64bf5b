// SPDX-License-Identifier: Apache-2.0

import Synchronization
import SuccessionSystem
import SystemPackage

/// An epoll loop on a thread of its own that is also the executor of ``ControlThread``.
///
/// It waits, and leaves what is to be done to jobs: readiness is handed to ``Reactor`` as a task of
/// the control thread, so that every handler runs as isolated code which the compiler has checked,
/// and no other thread has to be woken for it.
///
/// As a task's preferred executor it is where the task goes on when what it waited for has come from
/// another thread: by itself a continuation resumes on the pool, whatever it is isolated to.
final class ReadinessLoop: SerialExecutor, TaskExecutor {
    static let shared = ReadinessLoop()

    private struct State {
        var jobs: [UnownedJob] = []
        var deadline: UInt64 = .max
        var isRunning = false
        var failure: Errno?
    }

    private let state = Mutex(State())
    private let thread = Atomic<UInt>(0)
    private let epoll: OwnedDescriptor?
    private let wakeUp: OwnedDescriptor?

    private init() {
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
    func start() throws(Errno) {
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

    func enqueue(_ job: consuming ExecutorJob) {
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
    var isCurrent: Bool { thread.load(ordering: .relaxed) == currentThreadID() }

    /// When ``Reactor/deliver(_:)`` is to be called next, whatever happens before; the loop's own
    /// thread only.
    func setDeadline(_ deadline: UInt64) {
        state.withLock { $0.deadline = deadline }
    }

    /// No later than this.
    func bringForward(to deadline: UInt64) {
        state.withLock { $0.deadline = min($0.deadline, deadline) }
    }

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
            var events = (try? Syscall.epollWait(epoll.rawValue, timeout: timeout())) ?? []
            if let index = events.firstIndex(where: { $0.descriptor == wakeUp.rawValue }) {
                Syscall.drainEvent(wakeUp.rawValue)
                events.remove(at: index)
            }
            deliver(events)
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

    private func timeout() -> CInt {
        let deadline = state.withLock { $0.jobs.isEmpty ? $0.deadline : 0 }
        if deadline == .max { return -1 }
        let now = Syscall.monotonicNanoseconds()
        guard deadline > now else { return 0 }
        return CInt(min((deadline - now + 999_999) / 1_000_000, 60_000))
    }

    private func deliver(_ events: [Syscall.Event]) {
        let isDue = state.withLock { $0.deadline <= Syscall.monotonicNanoseconds() }
        guard isDue || !events.isEmpty else { return }
        Task { @ControlThread in Reactor.shared.deliver(events) }
    }
}
