// SPDX-License-Identifier: Apache-2.0

import CSuccession
import Glibc
package import SystemPackage

/// An open directory: what is done with a name in it is done there, wherever its path leads now.
///
/// A name is one name: EINVAL for one with a slash, and for `.` and `..`. No link is followed.
package struct Directory: Sendable {
    package let descriptor: OwnedDescriptor
    /// Where it was found; for messages.
    package let path: String

    /// Takes over a descriptor of a directory.
    package init(taking descriptor: OwnedDescriptor, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Opens the directory a path leads to, through links.
    ///
    /// One that may be passed through and not be listed is opened all the same. The corresponding C
    /// function is `open`.
    package init(_ path: String) throws(Errno) {
        self.init(
            taking: try Self.opening { (flags) throws(Errno) in try Syscall.open(path, flags) },
            path: path)
    }

    /// Opens a directory in it.
    ///
    /// ENOTDIR: it is a link, or no directory. The corresponding C function is `openat`.
    package func directory(_ name: String) throws(Errno) -> Directory {
        try Self.checkName(name)
        return Directory(
            taking: try Self.opening { (flags) throws(Errno) in
                try at(name, flags.union(.noFollow), 0)
            },
            path: child(name))
    }

    /// Opens the directory in which it lies now; its own parent for the root.
    ///
    /// The corresponding C function is `openat`.
    package func parent() throws(Errno) -> Directory {
        let end = path.lastIndex(of: "/")
        let isTop = end == nil || end == path.startIndex
        return Directory(
            taking: try at("..", .pathOnlyDirectory, 0),
            path: isTop ? "/" : end.map { String(path[..<$0]) } ?? "/")
    }

    /// Opens it once more, to be listed where that is allowed.
    package func reopened() throws(Errno) -> Directory {
        Directory(
            taking: try Self.opening { (flags) throws(Errno) in try at(".", flags, 0) },
            path: path)
    }

    private static func opening(
        _ open: (OpenFlags) throws(Errno) -> OwnedDescriptor
    ) throws(Errno) -> OwnedDescriptor {
        do throws(Errno) {
            return try open([.readOnly, .directory])
        } catch {
            guard error == .permissionDenied else { throw error }
            return try open(.pathOnlyDirectory)
        }
    }

    /// The path of a name in it; for messages.
    package func child(_ name: String) -> String { path == "/" ? "/\(name)" : "\(path)/\(name)" }

    /// Facts of the directory itself.
    package func facts() throws(Errno) -> FileFacts {
        try descriptor.withRawValue { (fd) throws(Errno) in try Syscall.status(of: fd) }
    }

    // MARK: - Names

    /// Opens a file; `mode` counts where it is created.
    ///
    /// ELOOP: it is a link. The corresponding C function is `openat`.
    package func open(
        _ name: String, _ flags: OpenFlags, mode: UInt32 = 0
    ) throws(Errno) -> OwnedDescriptor {
        try Self.checkName(name)
        return try at(name, flags.union(.noFollow), mode)
    }

    /// Facts of what has this name, be it a symbolic link.
    ///
    /// The corresponding C function is `fstatat`.
    package func facts(_ name: String) throws(Errno) -> FileFacts {
        var status = stat()
        _ = try named(name) { fstatat($0, $1, &status, AT_SYMLINK_NOFOLLOW) }
        return FileFacts(status)
    }

    /// Where a symbolic link points to.
    ///
    /// EINVAL: it is none. The corresponding C function is `readlinkat`.
    package func readLink(_ name: String) throws(Errno) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = try named(name) { readlinkat($0, $1, &buffer, Int(PATH_MAX)) }
        return String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Makes a symbolic link.
    ///
    /// The corresponding C function is `symlinkat`.
    package func symbolicLink(_ name: String, to target: String) throws(Errno) {
        try Syscall.checkPath(target)
        _ = try named(name) { symlinkat(target, $0, $1) }
    }

    /// Makes a directory, with these permissions less the umask.
    ///
    /// The corresponding C function is `mkdirat`.
    package func makeDirectory(_ name: String, mode: UInt32) throws(Errno) {
        _ = try named(name) { mkdirat($0, $1, mode) }
    }

    /// Removes a name.
    ///
    /// EISDIR: it is a directory's. The corresponding C function is `unlinkat`.
    package func unlink(_ name: String) throws(Errno) {
        _ = try named(name) { unlinkat($0, $1, 0) }
    }

    /// Removes an empty directory.
    ///
    /// The corresponding C function is `unlinkat` with AT_REMOVEDIR.
    package func removeDirectory(_ name: String) throws(Errno) {
        _ = try named(name) { unlinkat($0, $1, AT_REMOVEDIR) }
    }

    /// Gives a file another name, here or in another directory, and takes that name from what has it,
    /// in one step.
    ///
    /// The corresponding C function is `renameat`.
    package func rename(
        _ old: String, to new: String, in other: Directory? = nil
    ) throws(Errno) {
        try move(old, to: new, in: other ?? self, 0)
    }

    /// The same for a name that nothing has yet; EEXIST if something has.
    ///
    /// EINVAL: the file system cannot do it in one step. The corresponding C function is
    /// `renameat2` with RENAME_NOREPLACE.
    package func renameToNew(_ old: String, _ new: String) throws(Errno) {
        try move(old, to: new, in: self, CSUCCESSION_NO_REPLACE)
    }

    /// Exchanges two names in one step: what had one of them has the other afterwards.
    ///
    /// EINVAL: the file system cannot do it. The corresponding C function is `renameat2` with
    /// RENAME_EXCHANGE.
    package func exchange(_ one: String, _ other: String) throws(Errno) {
        try move(one, to: other, in: self, CSUCCESSION_EXCHANGE)
    }

    private func move(
        _ old: String, to new: String, in other: Directory, _ flags: Int
    ) throws(Errno) {
        try Self.checkName(new)
        _ = try named(old) { source, name in
            csuccession_rename_at(
                source, name, other.descriptor.rawValue, new, CUnsignedInt(flags))
        }
        withExtendedLifetime(other) {}
    }

    // MARK: - As a whole

    /// Its names in no order, without `.` and `..`.
    ///
    /// The corresponding C functions are `fdopendir` and `readdir`.
    package func names() throws(Errno) -> [String] {
        // A position of its own: that of the descriptor stays where it is.
        let copy = try at(".", [.readOnly, .directory], 0)
        guard let stream = fdopendir(copy.rawValue) else { throw Errno(rawValue: errno) }
        _ = copy.relinquish()
        defer { closedir(stream) }
        return try Syscall.names(in: stream)
    }

    /// Returns when its names are on the disk.
    ///
    /// The corresponding C function is `fsync`.
    package func synchronize() throws(Errno) {
        let copy = try at(".", [.readOnly, .directory], 0)
        try copy.withRawValue { (fd) throws(Errno) in try Syscall.synchronize(fd) }
    }

    // MARK: -

    private func at(
        _ name: String, _ flags: OpenFlags, _ mode: UInt32
    ) throws(Errno) -> OwnedDescriptor {
        try descriptor.withRawValue { (fd) throws(Errno) in
            OwnedDescriptor(
                taking: try Syscall.retrying {
                    openat(fd, name, flags.rawValue | O_CLOEXEC, mode)
                })
        }
    }

    private func named<Result: SignedInteger>(
        _ name: String, _ call: (CInt, UnsafePointer<CChar>) -> Result
    ) throws(Errno) -> Result {
        try Self.checkName(name)
        return try descriptor.withRawValue { (fd) throws(Errno) in
            try Syscall.check(name.withCString { call(fd, $0) })
        }
    }

    private static func checkName(_ name: String) throws(Errno) {
        if name.isEmpty || name == "." || name == ".." || name.utf8.contains(UInt8(ascii: "/")) {
            throw .invalidArgument
        }
        try Syscall.checkPath(name)
    }
}

extension Directory: Hashable {
    package static func == (one: Directory, other: Directory) -> Bool { one.path == other.path }

    package func hash(into hasher: inout Hasher) { hasher.combine(path) }
}
