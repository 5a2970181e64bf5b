// SPDX-License-Identifier: Apache-2.0

/// Processes that are known by an entry of the environment they were started with.
///
/// A child inherits its parent's environment wherever it goes: in a session, or a process group, or
/// a process tree of its own. A group of processes could not be told from the terminal's or a
/// supervisor's, and no control group is a server's to make.
package enum MarkedProcesses {
    /// Each round finds what those of the round before have started meanwhile.
    private static let mostRounds = 16

    /// Ends every other process that was started with `entry`, `KEY=VALUE`, and all they have started
    /// with it; returns how many there were.
    ///
    /// May block for as long as the kernel holds up who reads of a process. What may not be looked
    /// at is left alone, and so is everything where /proc is missing. The corresponding C function
    /// is `pidfd_send_signal`.
    @discardableResult
    package static func kill(_ entry: String) -> Int {
        var ended: Set<Int32> = []
        for _ in 0..<mostRounds {
            let found = processes(entry)
            for process in found {
                ended.insert(process.processID)
                try? process.signal(Signals.kill)
            }
            if found.isEmpty { break }
        }
        return ended.count
    }

    /// Those that live.
    package static func processes(_ entry: String) -> [ProcessHandle] {
        ((try? Syscall.listDirectory("/proc")) ?? []).compactMap { name in
            guard let pid = Int32(name), pid != ProcessEnvironment.processID, isMarked(pid, entry),
                let process = try? ProcessHandle.open(pid),
                // The number may have become another one's in between.
                isMarked(pid, entry), process.isAlive()
            else { return nil }
            return process
        }
    }

    private static func isMarked(_ pid: Int32, _ entry: String) -> Bool {
        guard let bytes = try? Syscall.readFile("/proc/\(pid)/environ") else { return false }
        return bytes.split(separator: 0).contains { $0.elementsEqual(entry.utf8) }
    }
}
