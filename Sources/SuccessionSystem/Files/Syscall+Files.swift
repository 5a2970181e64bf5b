// SPDX-License-Identifier: Apache-2.0

import Glibc
package import SystemPackage

extension Syscall {
    /// Opens a file; `mode` counts where it is created.
    ///
    /// The corresponding C function is `open`.
    package static func open(
        _ path: String, _ flags: OpenFlags, mode: UInt32 = 0
    ) throws(Errno) -> OwnedDescriptor {
        try checkPath(path)
        let raw = try retrying { Glibc.open(path, flags.rawValue | O_CLOEXEC, mode) }
        return OwnedDescriptor(taking: raw)
    }

    /// Makes a directory.
    ///
    /// The corresponding C function is `mkdir`.
    package static func makeDirectory(_ path: String, mode: UInt32) throws(Errno) {
        try checkPath(path)
        _ = try check(mkdir(path, mode))
    }

    /// Removes an empty directory.
    ///
    /// The corresponding C function is `rmdir`.
    package static func removeDirectory(_ path: String) throws(Errno) {
        try checkPath(path)
        _ = try check(rmdir(path))
    }

    /// Gives a file another name, and takes that name from whatever has it, in one step.
    ///
    /// The corresponding C function is `rename`.
    package static func rename(_ old: String, _ new: String) throws(Errno) {
        try checkPath(old)
        try checkPath(new)
        _ = try check(Glibc.rename(old, new))
    }

    /// Removes a name.
    ///
    /// The corresponding C function is `unlink`.
    package static func unlink(_ path: String) throws(Errno) {
        try checkPath(path)
        _ = try check(Glibc.unlink(path))
    }

    /// Makes a symbolic link.
    ///
    /// The corresponding C function is `symlink`.
    package static func symbolicLink(to target: String, at path: String) throws(Errno) {
        try checkPath(target)
        try checkPath(path)
        _ = try check(symlink(target, path))
    }

    /// Where a symbolic link points to.
    ///
    /// EINVAL: it is none. The corresponding C function is `readlink`.
    package static func readLink(_ path: String) throws(Errno) -> String {
        try checkPath(path)
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = try check(readlink(path, &buffer, buffer.count))
        return String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Facts of the file a path leads to.
    ///
    /// The corresponding C function is `stat`.
    package static func status(_ path: String) throws(Errno) -> FileFacts {
        try checkPath(path)
        var status = stat()
        _ = try check(stat(path, &status))
        return FileFacts(status)
    }

    /// Facts of the file of this name, be it a symbolic link.
    ///
    /// The corresponding C function is `lstat`.
    package static func linkStatus(_ path: String) throws(Errno) -> FileFacts {
        try checkPath(path)
        var status = stat()
        _ = try check(lstat(path, &status))
        return FileFacts(status)
    }

    /// Facts of an open file.
    ///
    /// The corresponding C function is `fstat`.
    package static func status(of fd: CInt) throws(Errno) -> FileFacts {
        var status = stat()
        _ = try check(fstat(fd, &status))
        return FileFacts(status)
    }

    /// Sets the permissions of a path, without regard to the umask.
    ///
    /// The corresponding C function is `chmod`.
    package static func changeMode(_ path: String, _ mode: UInt32) throws(Errno) {
        try checkPath(path)
        _ = try check(chmod(path, mode))
    }

    /// Sets the permissions of an open file.
    ///
    /// Of a Unix socket before it is bound: the path gets them from its first moment on, less the
    /// umask. The corresponding C function is `fchmod`.
    package static func setMode(_ fd: CInt, _ mode: UInt32) throws(Errno) {
        _ = try check(fchmod(fd, mode))
    }

    /// Names in a directory in no order, without `.` and `..`.
    ///
    /// The corresponding C function is `readdir`.
    package static func listDirectory(_ path: String) throws(Errno) -> [String] {
        try checkPath(path)
        guard let directory = opendir(path) else { throw Errno(rawValue: errno) }
        defer { closedir(directory) }
        return try names(in: directory)
    }

    static func names(in directory: OpaquePointer) throws(Errno) -> [String] {
        var names: [String] = []
        while true {
            // Null is both the end and an error.
            errno = 0
            guard let entry = readdir(directory) else { break }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        _ = try check(errno == 0 ? 0 : -1)
        return names
    }

    /// Locks a file for this open file and its duplicates alone; false if another one has it.
    ///
    /// Does not wait. Closing the last duplicate unlocks it, in whatever process. The corresponding
    /// C function is `flock`.
    package static func lockExclusively(_ fd: CInt) throws(Errno) -> Bool {
        do {
            _ = try retrying { flock(fd, LOCK_EX | LOCK_NB) }
            return true
        } catch {
            if error == .wouldBlock { return false }
            throw error
        }
    }
}
