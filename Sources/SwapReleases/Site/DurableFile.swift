// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// Files that are there as a whole or not at all, after a crash too.
enum DurableFile {
    /// What a new file gets: what is in it may have been meant for its owner alone.
    static let mode: UInt32 = 0o600

    /// Puts a file in the place of `name`: whoever opens it sees the old one or the new one.
    ///
    /// Nothing has changed if it throws. Permissions and owner stay as they were; a file that is
    /// new gets `mode`, and a symbolic link is replaced, not followed.
    static func replace(
        _ directory: Directory, _ name: String, _ bytes: [UInt8], mode: UInt32 = mode
    ) throws(Errno) {
        let temporary = try write(directory, beside: name, bytes, mode: mode)
        do throws(Errno) {
            try directory.rename(temporary, to: name)
        } catch {
            try? directory.unlink(temporary)
            throw error
        }
        try directory.synchronize()
    }

    /// Writes a file under a hidden name, with the permissions and the owner of `name` if that is a
    /// file, and returns the hidden name.
    static func write(
        _ directory: Directory, beside name: String, _ bytes: [UInt8], mode: UInt32 = mode
    ) throws(Errno) -> String {
        let old = try? directory.facts(name)
        let temporary = Path.temporaryName(for: name)
        try? directory.unlink(temporary)
        do throws(Errno) {
            let file = try directory.open(
                temporary, [.writeOnly, .create, .exclusive], mode: 0o600)
            try file.withRawValue { (fd) throws(Errno) in
                try Syscall.writeAll(fd, bytes)
                try setAttributes(fd, like: old?.isRegularFile == true ? old : nil, mode)
                try Syscall.synchronize(fd)
            }
            return temporary
        } catch {
            try? directory.unlink(temporary)
            throw error
        }
    }

    /// Set-id bits are nobody's to inherit, and the permissions of a group are for that group.
    private static func setAttributes(
        _ fd: CInt, like old: FileFacts?, _ mode: UInt32
    ) throws(Errno) {
        guard let old else { return try Syscall.setMode(fd, mode) }
        try? Syscall.setOwner(fd, old.userID, old.groupID)
        let isOfSameGroup = try Syscall.status(of: fd).groupID == old.groupID
        try Syscall.setMode(fd, old.mode & (isOfSameGroup ? 0o777 : 0o707))
    }

    /// Puts a symbolic link in the place of `name`; what is there must be one, or nothing.
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

    /// Removes a file and has its absence survive a crash; one that is not there is no error.
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
    /// ELOOP: it is a link. EINVAL: it is no regular file, and was not waited for. EFBIG: it has more
    /// than `limit` bytes.
    static func read(
        _ directory: Directory, _ name: String, limit: Int = 1 << 24
    ) throws(Errno) -> [UInt8] {
        let file = try openRegular(directory, name, .readOnly)
        return try file.withRawValue { (fd) throws(Errno) in
            try Syscall.readFile(fd, limit: limit)
        }
    }

    /// Opens a file that is a regular one.
    static func openRegular(
        _ directory: Directory, _ name: String, _ flags: OpenFlags, mode: UInt32 = mode
    ) throws(Errno) -> OwnedDescriptor {
        // Without waiting for the other end of a pipe.
        let file = try directory.open(name, flags.union(.nonBlocking), mode: mode)
        try file.withRawValue { (fd) throws(Errno) in
            guard try Syscall.status(of: fd).isRegularFile else { throw .invalidArgument }
            try Syscall.setNonBlocking(fd, false)
        }
        return file
    }

    /// Adds one line to the end of a file, in one write.
    ///
    /// A line that a crash left without an end is ended first, so that only that one is lost.
    static func append(_ line: String, to directory: Directory, _ name: String) throws(Errno) {
        let isNew = (try? directory.facts(name)) == nil
        let file = try openRegular(directory, name, [.readWrite, .create, .append])
        try file.withRawValue { (fd) throws(Errno) in
            let size = try Syscall.status(of: fd).size
            let last = size > 0 ? try Syscall.readAt(fd, offset: size - 1, count: 1) : []
            let isTorn = last.first.map { $0 != UInt8(ascii: "\n") } ?? false
            do throws(Errno) {
                try Syscall.writeAll(fd, Array(((isTorn ? "\n" : "") + line + "\n").utf8))
                try Syscall.synchronize(fd)
            } catch {
                // Half a line on a full disk would be in the way of the next one.
                try? Syscall.truncate(fd, to: size)
                throw error
            }
        }
        if isNew { try directory.synchronize() }
    }
}
