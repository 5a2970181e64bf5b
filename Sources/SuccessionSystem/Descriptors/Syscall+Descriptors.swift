// SPDX-License-Identifier: Apache-2.0

import CSuccession
import Glibc
package import SystemPackage

extension Syscall {
    /// Reads at most `count` bytes; empty is end-of-file.
    ///
    /// The corresponding C function is `read`.
    package static func read(_ fd: CInt, count: Int) throws(Errno) -> [UInt8] {
        try bytes(count) { Glibc.read(fd, $0, $1) }
    }

    /// Reads at most `count` bytes at an offset; empty is past the end.
    ///
    /// The corresponding C function is `pread`.
    package static func readAt(
        _ fd: CInt, offset: Int, count: Int
    ) throws(Errno) -> [UInt8] {
        try bytes(count) { pread(fd, $0, $1, off_t(offset)) }
    }

    /// Reads a whole file.
    ///
    /// EFBIG: it has more than `limit` bytes.
    ///
    /// For files that /proc makes up, whose size is not known, too.
    package static func readFile(_ path: String, limit: Int = 1 << 24) throws(Errno) -> [UInt8] {
        let file = try open(path, .readOnly)
        return try file.withRawValue { (fd) throws(Errno) in try readFile(fd, limit: limit) }
    }

    /// Reads what is left of an open file.
    ///
    /// EFBIG: it has more than `limit` bytes.
    package static func readFile(_ fd: CInt, limit: Int = 1 << 24) throws(Errno) -> [UInt8] {
        var content: [UInt8] = []
        while true {
            // Most files read whole are a few lines long.
            let part = try read(fd, count: content.count < 4_096 ? 4_096 : 65_536)
            if part.isEmpty { return content }
            content += part
            if content.count > limit { throw .fileTooLarge }
        }
    }

    /// Writes all bytes.
    ///
    /// EAGAIN, from a descriptor that does not block: perhaps some were written.
    ///
    /// A pipe nobody reads raises SIGPIPE. The corresponding C function is `write`.
    package static func writeAll(_ fd: CInt, _ bytes: [UInt8]) throws(Errno) {
        // The standard library's closure does not carry the type of the error.
        let result = bytes.withUnsafeBytes { buffer -> Result<Void, Errno> in
            do throws(Errno) {
                return .success(try writeAll(fd, buffer))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Writes all bytes.
    ///
    /// The corresponding C function is `write`.
    package static func writeAll(_ fd: CInt, _ bytes: UnsafeRawBufferPointer) throws(Errno) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            rest = rest.dropFirst(try retrying { write(fd, part.baseAddress, part.count) })
        }
    }

    /// Writes all bytes at an offset, in one call.
    ///
    /// ENOSPC: not all were written. The corresponding C function is `pwrite`.
    package static func writeAt(_ fd: CInt, offset: Int, _ bytes: [UInt8]) throws(Errno) {
        let count = try retrying { pwrite(fd, bytes, bytes.count, off_t(offset)) }
        if count < bytes.count { throw .noSpace }
    }

    private static func bytes(
        _ count: Int, _ call: (UnsafeMutableRawPointer?, Int) -> Int
    ) throws(Errno) -> [UInt8] {
        var failure: Errno?
        let bytes = [UInt8](unsafeUninitializedCapacity: max(0, count)) { buffer, initialized in
            do throws(Errno) {
                initialized = try retrying { call(buffer.baseAddress, buffer.count) }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Puts an open file in the place of the descriptor `number`, in one step; kept over exec.
    ///
    /// The corresponding C function is `dup2`.
    package static func duplicate(_ fd: CInt, onto number: CInt) throws(Errno) {
        _ = try retrying { dup2(fd, number) }
    }

    /// Has /dev/null in the place of each of the descriptors 0, 1 and 2 that is closed; kept over exec.
    ///
    /// Whatever is opened next would get the number, and be written to by everybody who logs. Done
    /// before main too; for programs that have closed them since. The corresponding C function is
    /// `open`.
    package static func fillStandardStreams() {
        csuccession_fill_standard_streams()
    }

    /// Whether a descriptor is a terminal.
    ///
    /// The corresponding C function is `isatty`.
    package static func isTerminal(_ fd: CInt) -> Bool { isatty(fd) == 1 }

    /// Says whether calls wait; shared with every process that has the open file.
    ///
    /// The corresponding C function is `fcntl` with F_SETFL.
    package static func setNonBlocking(_ fd: CInt, _ isOn: Bool) throws(Errno) {
        try setStatusFlag(fd, O_NONBLOCK, isOn)
    }

    /// Has every write go to the end of the file.
    ///
    /// The corresponding C function is `fcntl` with F_SETFL.
    package static func setAppend(_ fd: CInt) throws(Errno) {
        try setStatusFlag(fd, O_APPEND, true)
    }

    private static func setStatusFlag(_ fd: CInt, _ flag: CInt, _ isOn: Bool) throws(Errno) {
        let old = try check(fcntl(fd, F_GETFL))
        let new = isOn ? old | flag : old & ~flag
        if new != old { _ = try check(fcntl(fd, F_SETFL, new)) }
    }

    /// Says whether the descriptor ends with this program.
    ///
    /// The corresponding C function is `fcntl` with F_SETFD.
    package static func setCloseOnExec(_ fd: CInt, _ isOn: Bool) throws(Errno) {
        let old = try check(fcntl(fd, F_GETFD))
        _ = try check(fcntl(fd, F_SETFD, isOn ? old | FD_CLOEXEC : old & ~FD_CLOEXEC))
    }

    /// Whether the descriptor ends with this program.
    ///
    /// The corresponding C function is `fcntl` with F_GETFD.
    package static func isCloseOnExec(_ fd: CInt) throws(Errno) -> Bool {
        try check(fcntl(fd, F_GETFD)) & FD_CLOEXEC != 0
    }
}
