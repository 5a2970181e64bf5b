// SPDX-License-Identifier: Apache-2.0

import CSuccession
import Glibc
import Synchronization
package import SystemPackage

/// Turns signals into bytes in a pipe, where a thread that may do anything reads them.
package enum SignalRelay {
    /// Has each signal write its number, as one byte, to a pipe that does not block.
    ///
    /// The pipe stays the caller's and must stay open until ``restoreDefault(_:)``. A full pipe
    /// drops the byte: it says already that something waits. The corresponding C function is
    /// `sigaction`.
    package static func install(_ signals: [CInt], writingTo fd: CInt) throws(Errno) {
        for (index, signal) in signals.enumerated() {
            do {
                _ = try Syscall.shim(csuccession_relay_install(signal, fd))
            } catch {
                restoreDefault(Array(signals.prefix(index)))
                throw error
            }
        }
    }

    /// As ``install(_:writingTo:)``, with bit 7 of the byte set where the kernel sent the signal: the
    /// key of a terminal, which told the whole foreground group.
    ///
    /// The corresponding C function is `sigaction` with SA_SIGINFO.
    package static func installTellingOrigin(_ signals: [CInt], writingTo fd: CInt) throws(Errno) {
        for (index, signal) in signals.enumerated() {
            do {
                _ = try Syscall.shim(csuccession_relay_install_with_origin(signal, fd))
            } catch {
                restoreDefault(Array(signals.prefix(index)))
                throw error
            }
        }
    }

    /// Has each signal do what it does by default.
    ///
    /// The corresponding C function is `sigaction`.
    package static func restoreDefault(_ signals: [CInt]) {
        for signal in signals { _ = csuccession_relay_restore(signal) }
    }

    /// Has a write to a pipe or socket that nobody reads fail with EPIPE, and not end the process.
    ///
    /// The corresponding C function is `signal` with SIGPIPE and SIG_IGN.
    package static func ignoreBrokenPipes() {
        if !Signals.isIgnored(SIGPIPE) { ignoresPipesItself.store(true, ordering: .relaxed) }
        _ = Glibc.signal(SIGPIPE, SIG_IGN)
    }

    /// Whether SIGPIPE is ignored by this program's own choice, which is no other program's.
    static let ignoresPipesItself = Atomic(false)

    /// Lets signals be delivered to the calling thread, whatever mask it inherited.
    ///
    /// The corresponding C function is `pthread_sigmask`.
    package static func unblockInThisThread(_ signals: [CInt]) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    /// Lets every signal be delivered to the calling thread.
    ///
    /// The corresponding C function is `pthread_sigmask`.
    package static func unblockAllInThisThread() {
        setMask(blocked: false)
    }

    /// Has no signal delivered to the calling thread.
    ///
    /// The corresponding C function is `pthread_sigmask`.
    package static func blockAllInThisThread() {
        setMask(blocked: true)
    }

    private static func setMask(blocked: Bool) {
        var set = sigset_t()
        if blocked { sigfillset(&set) } else { sigemptyset(&set) }
        pthread_sigmask(SIG_SETMASK, &set, nil)
    }
}
