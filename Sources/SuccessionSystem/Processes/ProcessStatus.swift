// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What `/proc/PID/stat` says about a process.
package struct ProcessStatus: Sendable, Hashable {
    /// What the kernel calls it: the first 15 bytes of its program's name, or what it chose itself.
    package var name: String
    package var parentProcessID: Int32
    package var processGroupID: Int32
    /// In clock ticks since boot: together with the number it names one process.
    package var startTime: UInt64
    /// It is a zombie, or on its way out.
    package var hasEnded: Bool
    /// How it ended, as wait(2) has it; nil while it runs, if it is another user's,
    /// and for 0, which may mean either.
    package var waitStatus: CInt?

    /// When it was started at the latest, in nanoseconds since 1970: the kernel tells the tick alone.
    ///
    /// As the wall clock goes now; one that was set since counts as if it had always gone so.
    package var startedAtNanoseconds: Int {
        let ticks = max(1, sysconf(Int32(_SC_CLK_TCK)))
        let end = Nanoseconds.sum(Int(clamping: startTime), 1)
        let sinceBoot = Nanoseconds.of(
            seconds: end / ticks, nanoseconds: end % ticks * 1_000_000_000 / ticks)
        var boot = timespec()
        clock_gettime(CLOCK_BOOTTIME, &boot)
        let now = Syscall.wallClock()
        let booted = Nanoseconds.of(
            seconds: Nanoseconds.difference(now.seconds, boot.tv_sec),
            nanoseconds: now.nanoseconds - boot.tv_nsec)
        return Nanoseconds.sum(booted, sinceBoot)
    }

    /// Nil: there is no such process, or /proc is not mounted.
    package static func of(_ pid: Int32) -> ProcessStatus? {
        guard let bytes = try? Syscall.readFile("/proc/\(pid)/stat") else { return nil }
        return ProcessStatus(line: bytes)
    }

    init?(line: [UInt8]) {
        // The second field is the name of the program in brackets, which may contain anything,
        // brackets too.
        guard let end = line.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = String(decoding: line[(end + 1)...], as: UTF8.self).split(separator: " ")
        // The first of these is field 3 in proc(5).
        guard fields.count > 19, let parent = Int32(fields[1]), let group = Int32(fields[2]),
            let start = UInt64(fields[19]), let begin = line.firstIndex(of: UInt8(ascii: "(")),
            begin < end
        else {
            return nil
        }
        name = String(decoding: line[(begin + 1)..<end], as: UTF8.self)
        processGroupID = group
        parentProcessID = parent
        startTime = start
        hasEnded = fields[0] == "Z" || fields[0] == "X"
        // The last field, and 0 for those who may not know.
        let code = fields.count > 49 ? CInt(fields[49]) : nil
        waitStatus = hasEnded && code != 0 ? code : nil
    }
}
