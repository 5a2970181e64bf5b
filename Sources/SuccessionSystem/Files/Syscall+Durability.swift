// SPDX-License-Identifier: Apache-2.0

import CSuccession
import Glibc
package import SystemPackage

extension Syscall {
    /// Returns when the content of an open file, or the names in an open directory, are on the disk.
    ///
    /// The corresponding C function is `fsync`.
    package static func synchronize(_ fd: CInt) throws(Errno) {
        _ = try retrying { fsync(fd) }
    }

    /// The same for the directory of this path.
    package static func synchronizeDirectory(_ path: String) throws(Errno) {
        let directory = try open(path, [.readOnly, .directory])
        try directory.withRawValue { (fd) throws(Errno) in try synchronize(fd) }
    }

    /// Gives a file a name that nothing has yet; EEXIST if something has.
    ///
    /// EINVAL: the file system cannot do it in one step. The corresponding C function is
    /// `renameat2` with RENAME_NOREPLACE.
    package static func renameToNew(_ old: String, _ new: String) throws(Errno) {
        try rename(old, new, CSUCCESSION_NO_REPLACE)
    }

    /// Exchanges two names in one step: whatever had one of them has the other afterwards.
    ///
    /// EINVAL: the file system cannot do it. The corresponding C function is `renameat2` with
    /// RENAME_EXCHANGE.
    package static func exchange(_ one: String, _ other: String) throws(Errno) {
        try rename(one, other, CSUCCESSION_EXCHANGE)
    }

    private static func rename(_ old: String, _ new: String, _ flags: Int) throws(Errno) {
        try checkPath(old)
        try checkPath(new)
        _ = try shim(csuccession_rename(old, new, CUnsignedInt(flags)))
    }

    /// Copies all that is left of one open file to another, without the bytes passing through this
    /// process where the kernel can do that, and sharing their blocks where the file system can.
    ///
    /// The corresponding C function is `copy_file_range`.
    package static func copyAll(from source: CInt, to target: CInt) throws(Errno) {
        do {
            while try shim(csuccession_copy_range(source, target, 1 << 30)) > 0 {}
            // Files that /proc and its like make up seem to be empty to this call: read on.
        } catch {
            let cannot: [Errno] = [
                .improperLink, .invalidArgument, .noFunction, .notSupported, .notPermitted,
            ]
            guard cannot.contains(error) else { throw error }
        }
        while true {
            let part = try read(source, count: 1 << 18)
            if part.isEmpty { return }
            try writeAll(target, part)
        }
    }

    /// Writes some bytes at an offset; fewer than all of them only on a full disk.
    ///
    /// The corresponding C function is `pwrite`.
    package static func writeAllAt(
        _ fd: CInt, offset: Int, _ bytes: [UInt8]
    ) throws(Errno) {
        _ = try retrying {
            bytes.withUnsafeBytes { pwrite(fd, $0.baseAddress, $0.count, off_t(offset)) }
        }
    }

    /// Shortens an open file.
    ///
    /// The corresponding C function is `ftruncate`.
    package static func truncate(_ fd: CInt, to size: Int) throws(Errno) {
        _ = try retrying { ftruncate(fd, off_t(size)) }
    }

    /// Gives an open file to a user and a group.
    ///
    /// EPERM: only root gives away what is its own. The corresponding C function is `fchown`.
    package static func setOwner(_ fd: CInt, _ user: UInt32, _ group: UInt32) throws(Errno) {
        _ = try check(fchown(fd, user, group))
    }

    /// Waits for the lock of a file, for this open file and its duplicates alone.
    ///
    /// For locks that are held for the time of a few system calls. The corresponding C function is
    /// `flock`.
    package static func awaitLock(_ fd: CInt) throws(Errno) {
        _ = try retrying { flock(fd, LOCK_EX) }
    }

    /// Gives the lock of an open file back.
    ///
    /// The corresponding C function is `flock`.
    package static func unlock(_ fd: CInt) throws(Errno) {
        _ = try retrying { flock(fd, LOCK_UN) }
    }

    /// The path without links, `.` and `..`.
    ///
    /// ELOOP: links lead in a circle. The corresponding C function is `realpath`.
    package static func realPath(_ path: String) throws(Errno) -> String {
        try checkPath(path)
        guard let resolved = realpath(path, nil) else { throw Errno(rawValue: errno) }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Seconds and nanoseconds since 1970 in UTC.
    ///
    /// The corresponding C function is `clock_gettime` with CLOCK_REALTIME.
    package static func wallClock() -> (seconds: Int, nanoseconds: Int) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return (now.tv_sec, now.tv_nsec)
    }

    /// What the wall clock showed, as it goes now, at a time of the monotonic clock; nanoseconds since
    /// 1970, or the nearest moment that they can tell.
    package static func wallClock(atMonotonic time: Int) -> Int {
        let now = wallClock()
        let age = Nanoseconds.difference(Int(clamping: monotonicNanoseconds()), time)
        return Nanoseconds.difference(
            Nanoseconds.of(seconds: now.seconds, nanoseconds: now.nanoseconds), age)
    }

    /// Sends a signal to every process of a group; one that has ended is no error.
    ///
    /// Only of a group whose leader was started by the caller and has not been reaped: its number
    /// may be another's otherwise. The corresponding C function is `kill`.
    package static func signalGroup(_ leader: Int32, _ signal: CInt) {
        _ = kill(-leader, signal)
    }
}
