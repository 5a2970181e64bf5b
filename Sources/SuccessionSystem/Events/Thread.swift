// SPDX-License-Identifier: Apache-2.0

import CSuccession
import Glibc
package import SystemPackage

/// What a new thread is to do, carried over through a C pointer.
private final class ThreadBody: Sendable {
    let name: String
    let run: @Sendable () -> Void

    init(name: String, run: @escaping @Sendable () -> Void) {
        self.name = name
        self.run = run
    }
}

/// Starts a thread nobody waits for.
///
/// It inherits the signal mask of the caller. The body must not be isolated to an actor: a closure
/// written in code of the main actor would end the program when another thread runs it. Throws
/// EAGAIN when there are too many threads. The corresponding C function is `pthread_create`.
package func startThread(
    name: String, _ body: @escaping @Sendable () -> Void
) throws(Errno) {
    let context = Unmanaged.passRetained(ThreadBody(name: name, run: body))
    var thread = pthread_t()
    let result = pthread_create(&thread, nil, runThread, context.toOpaque())
    if result != 0 {
        context.release()
        throw Errno(rawValue: result)
    }
    pthread_detach(thread)
}

/// Tells threads apart.
///
/// The corresponding C function is `pthread_self`.
package func currentThreadID() -> UInt {
    UInt(pthread_self())
}

/// Has the calling thread run soon after it is woken, also where others keep every processor busy.
///
/// For threads that work little and often: the scheduler lets a thread that asks for a shorter slice go
/// first, and gives it no more time in all. Before Linux 6.12, or where it is forbidden, nothing
/// changes. The corresponding system call is `sched_setattr`.
package func preferShortSlices() {
    // The kernel makes it no shorter than 0.1 ms.
    csuccession_set_slice(100_000)
}

private func runThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    // Balances passRetained; from here on the thread owns the body.
    let body = Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue()
    csuccession_name_thread(body.name)
    body.run()
    return nil
}
