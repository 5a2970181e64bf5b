// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// Copies of files and of whole directories, on the disk when they are reported.
enum FileCopy {
    struct Problem: Error {
        var path: String
        var errno: Errno
    }

    /// Copies a file, a link, or a directory with all that is in it, to a name that is free.
    ///
    /// Permissions are kept, owners are not. Returns the regular files with their SHA-256, as paths
    /// below `target`. EINVAL: a pipe, a socket or a device is among them.
    static func copy(
        _ source: String, to target: String
    ) throws(Problem) -> [(path: String, digest: String)] {
        do throws(Errno) {
            let facts = try Syscall.linkStatus(source)
            if facts.isSymbolicLink {
                try Syscall.symbolicLink(to: try Syscall.readLink(source), at: target)
                return []
            }
            if facts.isRegularFile {
                return [("", try copyFile(source, to: target, facts.mode))]
            }
            guard facts.isDirectory else { throw .invalidArgument }
            try Syscall.makeDirectory(target, mode: 0o700)
        } catch {
            throw Problem(path: source, errno: error)
        }
        return try copyDirectory(source, to: target)
    }

    private static func copyDirectory(
        _ source: String, to target: String
    ) throws(Problem) -> [(path: String, digest: String)] {
        let names: [String]
        do throws(Errno) {
            names = try Syscall.listDirectory(source).sorted()
        } catch {
            throw Problem(path: source, errno: error)
        }
        var files: [(path: String, digest: String)] = []
        for name in names {
            files += try copy("\(source)/\(name)", to: "\(target)/\(name)").map {
                ("/\(name)\($0.path)", $0.digest)
            }
        }
        do throws(Errno) {
            try Syscall.changeMode(target, try Syscall.linkStatus(source).mode | 0o700)
            try Syscall.synchronizeDirectory(target)
        } catch {
            throw Problem(path: target, errno: error)
        }
        return files
    }

    /// The digest is of what was written, not of what was read.
    private static func copyFile(
        _ source: String, to target: String, _ mode: UInt32
    ) throws(Errno) -> String {
        let from = try Syscall.open(source, .readOnly)
        let to = try Syscall.open(target, [.writeOnly, .create, .exclusive], mode: 0o600)
        try Syscall.copyAll(from: from.rawValue, to: to.rawValue)
        try Syscall.setMode(to.rawValue, mode & 0o777)
        try Syscall.synchronize(to.rawValue)
        withExtendedLifetime((from, to)) {}
        return try SHA256.ofFile(target)
    }

    /// The regular files of what lies at a path, as ``copy(_:to:)`` returns them.
    static func digests(_ path: String) throws(Errno) -> [(path: String, digest: String)] {
        let facts = try Syscall.linkStatus(path)
        if facts.isSymbolicLink { return [] }
        if facts.isRegularFile { return [("", try SHA256.ofFile(path))] }
        guard facts.isDirectory else { throw .invalidArgument }
        var files: [(path: String, digest: String)] = []
        for name in try Syscall.listDirectory(path) {
            files += try digests("\(path)/\(name)").map { ("/\(name)\($0.path)", $0.digest) }
        }
        return files
    }

    /// Removes a file, or a directory with all that is in it; links are not followed.
    static func remove(_ path: String) throws(Errno) {
        guard try Syscall.linkStatus(path).isDirectory else { return try Syscall.unlink(path) }
        for name in try Syscall.listDirectory(path) { try remove(path + "/" + name) }
        try Syscall.removeDirectory(path)
    }
}
