// SPDX-License-Identifier: Apache-2.0

import Glibc
package import SystemPackage

/// Entries of an open directory by their names, whatever the path of the directory leads to by now.
extension Syscall {
    /// Opens an entry.
    ///
    /// The corresponding C function is `openat`.
    package static func openEntry(
        _ name: String, of directory: CInt, _ flags: OpenFlags, mode: UInt32 = 0
    ) throws(Errno) -> OwnedDescriptor {
        try checkPath(name)
        let raw = try retrying { openat(directory, name, flags.rawValue | O_CLOEXEC, mode) }
        return OwnedDescriptor(taking: raw)
    }

    /// Where an entry that is a symbolic link points to.
    ///
    /// EINVAL: it is none. The corresponding C function is `readlinkat`.
    package static func readLinkEntry(
        _ name: String, of directory: CInt
    ) throws(Errno) -> String {
        try checkPath(name)
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = try check(readlinkat(directory, name, &buffer, buffer.count))
        return String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Facts of an entry, be it a symbolic link.
    ///
    /// The corresponding C function is `fstatat` with AT_SYMLINK_NOFOLLOW.
    package static func entryStatus(
        _ name: String, of directory: CInt
    ) throws(Errno) -> FileFacts {
        try checkPath(name)
        var status = stat()
        _ = try check(fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW))
        return FileFacts(status)
    }

    /// Removes an entry that is no directory.
    ///
    /// The corresponding C function is `unlinkat`.
    package static func removeEntry(_ name: String, of directory: CInt) throws(Errno) {
        try checkPath(name)
        _ = try check(unlinkat(directory, name, 0))
    }
}
