// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// Files that are complete or absent, even after a crash.
enum DurableFile {
    /// The permissions of a new file: its content may be meant for the owner alone.
    static let mode: UInt32 = 0o600

    /// Replaces a file in one step: a reader sees the old content or the new one.
    ///
    /// Nothing has changed if this throws. Permissions and owner stay; a new file gets `mode`. A
    /// symbolic link is replaced, not followed.
    static func replace(
        _ directory: Directory, _ name: String, _ bytes: [UInt8], mode: UInt32 = mode
    ) throws(Errno) {
        let temporary = try write(directory, beside: name, bytes, mode: mode)
        do throws(Errno) {
            try directory.rename(temporary.name, to: name)
        } catch {
            temporary.remove()
            throw error
        }
        try directory.synchronize()
        temporary.unlock()
    }

    /// A file under a hidden name, locked against its removal as a leftover.
    final class Temporary {
        let name: String
        private let directory: Directory
        /// Nil: a name that cannot be locked.
        private let lock: OwnedDescriptor?

        init(_ name: String, in directory: Directory, lock: OwnedDescriptor?) {
            self.name = name
            self.directory = directory
            self.lock = lock
        }

        /// Removes the hidden name, if it is still there.
        func remove() {
            try? directory.unlink(name)
            unlock()
        }

        /// Has to be called after the last use of the name: it keeps the lock until then.
        func unlock() { lock?.close() }
    }

    /// Locks a file or a directory for the lifetime of the result; nil: another process has locked it, or
    /// it cannot be opened.
    static func lock(_ name: String, in directory: Directory) -> OwnedDescriptor? {
        guard let file = try? directory.open(name, [.readOnly, .nonBlocking]),
            (try? Syscall.lockExclusively(file.rawValue)) == true
        else { return nil }
        return file
    }

    /// Writes a file under a hidden name.
    ///
    /// The file has the permissions and the owner of the file `name`, if there is one.
    static func write(
        _ directory: Directory, beside name: String, _ bytes: [UInt8], mode: UInt32 = mode
    ) throws(Errno) -> Temporary {
        let old = try? directory.facts(name)
        let temporary = Path.temporaryName(for: name)
        try? directory.unlink(temporary)
        do throws(Errno) {
            let file = try directory.open(
                temporary, [.writeOnly, .create, .exclusive], mode: 0o600)
            try file.withRawValue { (fd) throws(Errno) in
                _ = try? Syscall.lockExclusively(fd)
                try Syscall.writeAll(fd, bytes)
                try setAttributes(fd, like: old?.isRegularFile == true ? old : nil, mode)
                try Syscall.synchronize(fd)
            }
            return Temporary(temporary, in: directory, lock: file)
        } catch {
            try? directory.unlink(temporary)
            throw error
        }
    }

    /// Copies owner and permissions, but no set-id bits, and the permissions of the group only if the
    /// group is the same.
    private static func setAttributes(
        _ fd: CInt, like old: FileFacts?, _ mode: UInt32
    ) throws(Errno) {
        guard let old else { return try Syscall.setMode(fd, mode) }
        try? Syscall.setOwner(fd, old.userID, old.groupID)
        let isOfSameGroup = try Syscall.status(of: fd).groupID == old.groupID
        try Syscall.setMode(fd, old.mode & (isOfSameGroup ? 0o777 : 0o707))
    }

    /// Replaces a symbolic link in one step.
    ///
    /// The name must be a link, or free.
    static func link(_ directory: Directory, _ name: String, to target: String) throws(Errno) {
        let temporary = Path.temporaryName(for: name)
        try? directory.unlink(temporary)
        try directory.symbolicLink(temporary, to: target)
        do throws(Errno) {
            try directory.rename(temporary, to: name)
        } catch {
            try? directory.unlink(temporary)
            throw error
        }
    }

    /// Removes a file durably; a missing file is not an error.
    static func remove(_ directory: Directory, _ name: String) throws(Errno) {
        do {
            try directory.unlink(name)
        } catch {
            if error == .noSuchFileOrDirectory { return }
            throw error
        }
        try directory.synchronize()
    }

    /// Reads a whole file.
    ///
    /// ELOOP: the name is a link. EINVAL: it is not a regular file; the call does not wait for a pipe.
    /// EFBIG: the file has more than `limit` bytes.
    static func read(
        _ directory: Directory, _ name: String, limit: Int = 1 << 24
    ) throws(Errno) -> [UInt8] {
        let file = try openRegular(directory, name, .readOnly)
        return try file.withRawValue { (fd) throws(Errno) in
            try Syscall.readFile(fd, limit: limit)
        }
    }

    /// Opens a regular file; EINVAL if it is another kind.
    static func openRegular(
        _ directory: Directory, _ name: String, _ flags: OpenFlags, mode: UInt32 = mode
    ) throws(Errno) -> OwnedDescriptor {
        // Non-blocking, so that opening a pipe does not wait for its other end.
        let file = try directory.open(name, flags.union(.nonBlocking), mode: mode)
        try file.withRawValue { (fd) throws(Errno) in
            guard try Syscall.status(of: fd).isRegularFile else { throw .invalidArgument }
            try Syscall.setNonBlocking(fd, false)
        }
        return file
    }

    /// Appends a line to a file in one write.
    ///
    /// If a crash has left a line without its end, a newline is added first, so that only that line is
    /// lost.
    static func append(_ line: String, to directory: Directory, _ name: String) throws(Errno) {
        let isNew = (try? directory.facts(name)) == nil
        let file = try openRegular(directory, name, [.readWrite, .create, .append])
        try file.withRawValue { (fd) throws(Errno) in
            let size = try Syscall.status(of: fd).size
            let last = size > 0 ? try Syscall.readAt(fd, offset: size - 1, count: 1) : []
            let isIncomplete = last.first.map { $0 != UInt8(ascii: "\n") } ?? false
            do throws(Errno) {
                try Syscall.writeAll(fd, Array(((isIncomplete ? "\n" : "") + line + "\n").utf8))
                try Syscall.synchronize(fd)
            } catch {
                // A part of the line, as a full disk leaves it, would spoil the next one.
                try? Syscall.truncate(fd, to: size)
                throw error
            }
        }
        if isNew { try directory.synchronize() }
    }
}
