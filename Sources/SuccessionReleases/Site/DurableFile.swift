// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// Files that are there as a whole or not at all, after a crash too.
enum DurableFile {
    /// Puts a file in the place of `path`: whoever opens it sees the old one or the new one.
    ///
    /// Nothing has changed if it throws. Permissions and owner stay as they were; a file that is
    /// new gets `mode`, and a symbolic link is replaced, not followed.
    static func replace(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o644) throws(Errno) {
        let old = try? Syscall.linkStatus(path)
        let temporary = try write(beside: path, bytes, mode: mode, like: old)
        do throws(Errno) {
            try Syscall.rename(temporary, path)
        } catch {
            try? Syscall.unlink(temporary)
            throw error
        }
        try Syscall.synchronizeDirectory(Path.parent(path))
    }

    /// Writes a file under a hidden name in the directory of `path`, and returns that name.
    static func write(
        beside path: String, _ bytes: [UInt8], mode: UInt32 = 0o644, like old: FileFacts? = nil
    ) throws(Errno) -> String {
        let temporary = Path.temporary(beside: path)
        try? Syscall.unlink(temporary)
        do throws(Errno) {
            let file = try Syscall.open(
                temporary, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
            try file.withRawValue { (fd) throws(Errno) in
                try Syscall.writeAll(fd, bytes)
                let model = old?.isRegularFile == true ? old : nil
                if let model { try? Syscall.setOwner(fd, model.userID, model.groupID) }
                try Syscall.setMode(fd, model?.mode ?? mode)
                try Syscall.synchronize(fd)
            }
            return temporary
        } catch {
            try? Syscall.unlink(temporary)
            throw error
        }
    }

    /// Puts a symbolic link in the place of `path`; what is there must be one, or nothing.
    static func link(_ path: String, to target: String) throws(Errno) {
        let temporary = Path.temporary(beside: path)
        try? Syscall.unlink(temporary)
        try Syscall.symbolicLink(to: target, at: temporary)
        do throws(Errno) {
            try Syscall.rename(temporary, path)
        } catch {
            try? Syscall.unlink(temporary)
            throw error
        }
    }

    /// Removes a file and has its absence survive a crash; one that is not there is no error.
    static func remove(_ path: String) throws(Errno) {
        do {
            try Syscall.unlink(path)
        } catch {
            if error == .noSuchFileOrDirectory { return }
            throw error
        }
        try Syscall.synchronizeDirectory(Path.parent(path))
    }

    /// Adds one line to the end of a file, in one write.
    ///
    /// A line that a crash left without an end is ended first, so that only that one is lost.
    static func append(_ line: String, to path: String) throws(Errno) {
        let isNew = (try? Syscall.linkStatus(path)) == nil
        let file = try Syscall.open(
            path, [.readWrite, .create, .append, .noFollow], mode: 0o644)
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
        if isNew { try Syscall.synchronizeDirectory(Path.parent(path)) }
    }
}
