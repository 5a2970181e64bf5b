// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A thread that loads one target with one kind of traffic.
final class Worker {
    /// What the thread runs and leaves behind.
    ///
    /// `@unchecked Sendable` is sound: only the thread touches `tally` until it ends, and only
    /// `join` after pthread_join has ordered the two.
    private final class Job: @unchecked Sendable {
        let body: @Sendable () -> Tally
        var tally = Tally()

        init(body: @escaping @Sendable () -> Tally) {
            self.body = body
        }
    }

    private let job: Job
    private let thread: pthread_t

    /// Starts the thread with every signal blocked: signals are the main thread's business.
    init(_ body: @escaping @Sendable () -> Tally) throws(Failure) {
        let job = Job(body: body)
        var identifier = pthread_t()
        var every = sigset_t()
        var before = sigset_t()
        sigfillset(&every)
        pthread_sigmask(SIG_SETMASK, &every, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        // The thread owns the reference that it is handed, and releases it when it takes it.
        let handed = Unmanaged.passRetained(job)
        let result = pthread_create(
            &identifier, nil,
            { pointer in
                guard let pointer else { return nil }
                let job = Unmanaged<Job>.fromOpaque(pointer).takeRetainedValue()
                job.tally = job.body()
                return nil
            }, handed.toOpaque())
        guard result == 0 else {
            handed.release()
            throw Failure(errno: result, during: "pthread_create")
        }
        self.job = job
        thread = identifier
    }

    /// Waits for the end of the thread and returns what it counted.
    func join() -> Tally {
        pthread_join(thread, nil)
        return job.tally
    }
}
