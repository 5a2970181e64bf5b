// SPDX-License-Identifier: Apache-2.0

import CSuccession
import Synchronization
package import SystemPackage

/// A program that is being started by a thread of its own.
///
/// The thread that starts a program stands still until the kernel has read it, which a file system
/// may never do; a process that has operators to answer and deadlines to keep lets another thread wait.
package final class Launch: Sendable {
    private struct State {
        var isAbandoned = false
        /// The call has returned: the process is known by its handle, or has ended.
        var isOver = false
    }

    private let state = Mutex(State())
    /// Written by the kernel and the half-started process, and read while the starting thread stands
    /// still: the C functions order that among themselves.
    private nonisolated(unsafe) let progress: UnsafeMutablePointer<csuccession_spawn_progress>

    /// Starts the program, and calls `completion` on the starting thread with the process or with
    /// what ``SpawnRequest/spawn()`` throws; not if the launch is abandoned before.
    ///
    /// The sources of the request must stay open until then: what `completion` holds is let go of
    /// when it has been called, or will not be. Throws EAGAIN when there are too many threads.
    package init(
        _ request: SpawnRequest,
        completion: @escaping @Sendable (Result<ProcessHandle, Errno>) -> Void
    ) throws(Errno) {
        progress = .allocate(capacity: 1)
        progress.initialize(to: SpawnRequest.nothingYet)
        try startThread(name: "succession-exec") { [self] in
            SignalRelay.blockAllInThisThread()
            run(request, completion)
        }
    }

    deinit { progress.deallocate() }

    /// Gives the launch up: a process that is half started is killed and waited for, whenever the
    /// kernel lets go of it.
    ///
    /// False if it is too late, and the completion has been called or is about to be.
    package func abandon() -> Bool {
        state.withLock { state in
            guard !state.isOver else { return false }
            state.isAbandoned = true
            csuccession_abandon(progress)
            return true
        }
    }

    private func run(
        _ request: SpawnRequest, _ completion: @Sendable (Result<ProcessHandle, Errno>) -> Void
    ) {
        var isAbandoned = false
        let result = request.spawn(progress) {
            // From here on its number may be another process's.
            isAbandoned = state.withLock { state in
                state.isOver = true
                return state.isAbandoned
            }
        }
        guard isAbandoned else { return completion(result) }
        guard case .success(let process) = result else { return }
        // It may have become the program in the last moment.
        try? process.signal(Signals.kill)
        _ = process.waitForExit(deadline: .max)
        _ = try? process.reap()
    }
}
