// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

/// Runs tasks on the main thread, which has nothing else to do.
///
/// The threads on which Swift runs tasks otherwise are made when the first task begins, and that is
/// when a server that starts has the least time.
final class MainThread: TaskExecutor {
    private let jobs = Mutex<[UnownedJob]>([])
    private let isWorkThere = DispatchSemaphore(value: 0)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        isWorkThere.signal()
    }

    /// Called by the main thread, once.
    func run() -> Never {
        while true {
            isWorkThere.wait()
            let job = jobs.withLock { $0.removeFirst() }
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
