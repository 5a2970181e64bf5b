// SPDX-License-Identifier: Apache-2.0

import CSuccession
import Glibc
import Synchronization
package import SystemPackage

/// One process, and never another one that got its number later.
///
/// By pidfd; on kernels without (before 5.3), and in sandboxes that refuse it, by the number and the
/// time at which the process started. Where /proc does not show it either, a child is asked for by
/// waiting for it, and anybody else's by the number alone.
package final class ProcessHandle: Sendable {
    package let processID: Int32
    /// The pidfd, readable once the process has ended; nil where the kernel has none.
    package let descriptor: OwnedDescriptor?
    private let startTime: UInt64?
    /// Held across the wait, because the number may be another process's as soon as ours is reaped.
    private let reaped = Mutex<ExitStatus?>(nil)

    /// Takes over a pidfd.
    package init(processID: Int32, pidfd: OwnedDescriptor?) {
        self.processID = processID
        descriptor = pidfd
        startTime = pidfd == nil ? ProcessStatus.of(processID)?.startTime : nil
    }

    /// Finds a process by its number.
    ///
    /// ESRCH: there is none. Only a caller who knows that the process has not been reaped
    /// meanwhile, or checks afterwards whose it is, knows that it is the one meant. The
    /// corresponding C function is `pidfd_open`.
    package static func open(_ pid: Int32) throws(Errno) -> ProcessHandle {
        // To kill(2) these are groups of processes.
        guard pid > 0 else { throw .invalidArgument }
        do {
            return ProcessHandle(
                processID: pid, pidfd: try Syscall.owned(csuccession_pidfd_open(pid)))
        } catch {
            // A sandbox that does not know the call says EPERM, which the call itself never does.
            guard error == .noFunction || error == .notPermitted else { throw error }
        }
        let handle = ProcessHandle(processID: pid, pidfd: nil)
        if !handle.isStillTheSame { throw .noSuchProcess }
        return handle
    }

    /// Sends a signal.
    ///
    /// ESRCH: the process has been reaped.
    ///
    /// The corresponding C function is `pidfd_send_signal`, else `kill`.
    package func signal(_ number: CInt) throws(Errno) {
        if let descriptor {
            do {
                _ = try Syscall.shim(csuccession_pidfd_send_signal(descriptor.rawValue, number))
                return
            } catch {
                // Also what a sandbox says; if it is not, kill(2) says it again.
                guard error == .noFunction || error == .notPermitted else { throw error }
            }
        }
        guard isAlive() else { throw .noSuchProcess }
        _ = try Syscall.check(kill(processID, number))
    }

    /// Waits for a child that has ended; nil while it runs.
    ///
    /// Does not block. A status is remembered and returned again. ECHILD: not a child of this
    /// process, or somebody else has waited for it. The corresponding C function is `waitid`.
    package func reap() throws(Errno) -> ExitStatus? {
        // The lock takes no typed errors.
        let result = reaped.withLock { reaped -> Result<ExitStatus?, Errno> in
            if let reaped { return .success(reaped) }
            var exit = csuccession_exit()
            let result = csuccession_reap(descriptor?.rawValue ?? -1, processID, &exit)
            if result < 0 { return .failure(Errno(rawValue: -result)) }
            if result > 0 { reaped = ExitStatus(exit) }
            return .success(reaped)
        }
        return try result.get()
    }

    /// How the process ended, also another process's child; nil while it runs, and where nobody can tell
    /// any more: its parent has waited for it, on a kernel before 6.15.
    ///
    /// The corresponding C function is `ioctl` with PIDFD_GET_INFO.
    package func exitStatus() -> ExitStatus? {
        if let known = reaped.withLock({ $0 }) { return known }
        if let told = statusFromDescriptor() { return told }
        // Not waited for yet, then /proc has it; waited for in this moment, then the kernel does.
        if let status = ProcessStatus.of(processID), status.hasEnded,
            startTime == nil || status.startTime == startTime
        {
            return status.waitStatus.map(ExitStatus.init(waitStatus:))
        }
        return statusFromDescriptor()
    }

    private func statusFromDescriptor() -> ExitStatus? {
        guard let descriptor else { return nil }
        var exit = csuccession_exit()
        return csuccession_pidfd_exit(descriptor.rawValue, &exit) == 1 ? ExitStatus(exit) : nil
    }

    /// The number by which the kernel knows the process, never used again before the next boot; nil
    /// before Linux 6.9.
    ///
    /// The corresponding C function is `fstat` of a pidfd.
    package var identity: UInt64? {
        guard let descriptor else { return nil }
        var identity: UInt64 = 0
        return csuccession_pidfd_identity(descriptor.rawValue, &identity) == 1 ? identity : nil
    }

    /// Whether the process runs: one that has ended and was not waited for does not.
    package func isAlive() -> Bool {
        guard let descriptor else { return isStillTheSame }
        let hasEnded = try? Syscall.poll(
            descriptor.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 0)
        return hasEnded == false
    }

    /// Blocks until the process has ended (true) or the deadline has passed (false).
    ///
    /// For tools and tests. The deadline is a value of ``Syscall/monotonicNanoseconds()``.
    package func waitForExit(deadline: UInt64) -> Bool {
        while true {
            // Before the look: a process that had ended by then has not missed the deadline.
            let now = Syscall.monotonicNanoseconds()
            guard isAlive() else { return true }
            guard now < deadline else { return false }
            let left = (min(deadline - now, 60_000_000_000) + 999_999) / 1_000_000
            if let descriptor {
                _ = try? Syscall.poll(
                    descriptor.rawValue, events: Syscall.pollIn, timeoutMilliseconds: CInt(left))
            } else {
                // Without a pidfd nothing tells of the end of a process that is no child of ours.
                _ = try? Syscall.poll([], timeoutMilliseconds: CInt(min(left, 20)))
            }
        }
    }

    private var isStillTheSame: Bool {
        guard reaped.withLock({ $0 == nil }) else { return false }
        if let status = ProcessStatus.of(processID) {
            return !status.hasEnded && (startTime == nil || status.startTime == startTime)
        }
        // It was in /proc once.
        if startTime != nil { return false }
        return Self.isThere(processID)
    }

    /// Whether there is such a process, where /proc does not show it.
    ///
    /// The corresponding C functions are `waitid` with WNOWAIT for a child, else `kill` with 0.
    private static func isThere(_ pid: Int32) -> Bool {
        let hasEnded = csuccession_child_has_ended(pid)
        if hasEnded >= 0 { return hasEnded == 0 }
        return kill(pid, 0) == 0 || Errno(rawValue: errno) == .notPermitted
    }
}
