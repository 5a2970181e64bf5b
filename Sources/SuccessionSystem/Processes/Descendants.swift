// SPDX-License-Identifier: Apache-2.0

import CSuccession
import Glibc
package import SystemPackage

/// The processes below this one.
package enum Descendants {
    package enum Reaped: Sendable, Hashable {
        case ended(Int32, ExitStatus)
        /// There are children, and none has ended.
        case noneEnded
        case childless
    }

    /// Has orphans among the descendants of this process become its children, as they are those of
    /// process 1 anyway.
    ///
    /// The corresponding C function is `prctl` with PR_SET_CHILD_SUBREAPER.
    package static func adoptOrphans() throws(Errno) {
        _ = try Syscall.shim(csuccession_become_subreaper())
    }

    /// Waits for any child that has ended; does not block.
    ///
    /// The corresponding C function is `waitid` with P_ALL.
    package static func reapAny() -> Reaped {
        var pid: CInt = 0
        var exit = csuccession_exit()
        switch csuccession_reap_any(&pid, &exit) {
        case 1: return .ended(pid, ExitStatus(exit))
        case 0: return .noneEnded
        default: return .childless
        }
    }

    /// Whether there is a process of this number, one that has ended and was not waited for too.
    ///
    /// The corresponding C function is `kill`.
    package static func exists(_ pid: Int32) -> Bool {
        pid > 0 && (kill(pid, 0) == 0 || errno == EPERM)
    }

    /// Whether a process descends from this one; nil where /proc does not tell.
    package static func contain(_ pid: Int32) -> Bool? {
        let own = ProcessEnvironment.processID
        var current = pid
        // Deeper than any line: each generation is the child of one that still drains.
        for _ in 0..<1_000 {
            if current == own { return true }
            if current <= 1 { return false }
            guard let status = ProcessStatus.of(current) else { return nil }
            current = status.parentProcessID
        }
        return nil
    }

    /// The descriptors above 2 that a program started by exec in the place of this one would have;
    /// empty where /proc is not mounted.
    package static func descriptorsKeptOverExec() -> [CInt] {
        let entries = (try? Syscall.listDirectory("/proc/self/fd")) ?? []
        return entries.compactMap { CInt($0) }.filter { number in
            number > 2 && (try? Syscall.isCloseOnExec(number)) == false
        }.sorted()
    }

    /// Whether this process leads its session, and so hears first that its terminal is gone.
    ///
    /// The corresponding C function is `getsid`.
    package static var isSessionLeader: Bool { getsid(0) == getpid() }
}
