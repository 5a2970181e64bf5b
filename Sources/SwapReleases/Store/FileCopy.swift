// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// Copies files and whole directories; a copy is on the disk when the call returns.
///
/// Every file is opened by its name in an open directory: a directory that is replaced by a link
/// meanwhile does not lead elsewhere.
enum FileCopy {
    struct Problem: Error {
        var path: String
        var errno: Errno
    }

    /// The path of a regular file, relative to the copy, and its SHA-256.
    typealias Digest = (path: String, digest: String)

    /// Each level needs a descriptor.
    private static let maximumDepth = 200
    /// A copy is not writable by everybody, which would let everybody decide what is executed, and has
    /// no set-id bits.
    private static let permissions: UInt32 = 0o775

    /// Copies a file, a link, or a directory with its content to a free name.
    ///
    /// Keeps the permissions, except that of everybody to write and the set-id bits, but not the owners.
    /// Returns the regular files. EINVAL: there is a pipe, a socket or a device among the files. `made` is
    /// called when the copy exists and is still empty.
    static func copy(
        _ name: String, in source: Directory, to copy: String, in target: Directory,
        depth: Int = 0, made: () -> Void = {}
    ) throws(Problem) -> [Digest] {
        let from: Directory
        let to: Directory
        do throws(Errno) {
            let facts = try source.facts(name)
            if facts.isSymbolicLink {
                try target.symbolicLink(copy, to: try source.readLink(name))
                return []
            }
            if facts.isRegularFile {
                return [("", try copyFile(name, in: source, to: copy, in: target, made))]
            }
            guard facts.isDirectory, depth < maximumDepth else { throw .invalidArgument }
            from = try source.directory(name)
            try target.makeDirectory(copy, mode: 0o700)
            made()
            to = try target.directory(copy)
        } catch {
            throw Problem(path: source.child(name), errno: error)
        }
        return try copyAll(in: from, to: to, depth: depth)
    }

    private static func copyAll(
        in source: Directory, to target: Directory, depth: Int
    ) throws(Problem) -> [Digest] {
        let names: [String]
        do throws(Errno) {
            names = try source.names().sorted()
        } catch {
            throw Problem(path: source.path, errno: error)
        }
        var files: [Digest] = []
        for name in names {
            files += try copy(name, in: source, to: name, in: target, depth: depth + 1).map {
                ("/\(name)\($0.path)", $0.digest)
            }
        }
        do throws(Errno) {
            let mode = try source.facts().mode & permissions | 0o700
            try target.descriptor.withRawValue { (fd) throws(Errno) in
                try Syscall.setMode(fd, mode)
            }
            try target.synchronize()
        } catch {
            throw Problem(path: target.path, errno: error)
        }
        return files
    }

    /// Returns the digest of the copy, which is read back, not of the source.
    private static func copyFile(
        _ name: String, in source: Directory, to copy: String, in target: Directory,
        _ made: () -> Void
    ) throws(Errno) -> String {
        let from = try DurableFile.openRegular(source, name, .readOnly)
        let to = try target.open(copy, [.writeOnly, .create, .exclusive], mode: 0o600)
        made()
        try Syscall.copyAll(from: from.rawValue, to: to.rawValue)
        let mode = try Syscall.status(of: from.rawValue).mode
        try Syscall.setMode(to.rawValue, mode & permissions)
        try Syscall.synchronize(to.rawValue)
        withExtendedLifetime((from, to)) {}
        return try SHA256.ofFile(target, copy)
    }

    /// The regular files of a file or directory, as ``copy(_:in:to:in:depth:)`` returns them.
    static func digests(
        _ name: String, in directory: Directory, depth: Int = 0
    ) throws(Errno) -> [Digest] {
        let facts = try directory.facts(name)
        if facts.isSymbolicLink { return [] }
        if facts.isRegularFile { return [("", try SHA256.ofFile(directory, name))] }
        guard facts.isDirectory, depth < maximumDepth else { throw .invalidArgument }
        let inside = try directory.directory(name)
        var files: [Digest] = []
        for name in try inside.names() {
            files += try digests(name, in: inside, depth: depth + 1).map {
                ("/\(name)\($0.path)", $0.digest)
            }
        }
        return files
    }

    /// The size in bytes of a file, or of all files in a directory.
    static func size(_ name: String, in directory: Directory, depth: Int = 0) -> Int {
        guard let facts = try? directory.facts(name) else { return 0 }
        guard facts.isDirectory else { return max(0, facts.size) }
        guard depth < maximumDepth, let inside = try? directory.directory(name) else { return 0 }
        return ((try? inside.names()) ?? []).reduce(0) { sum, name in
            let (total, isTooLarge) = sum.addingReportingOverflow(
                size(name, in: inside, depth: depth + 1))
            return isTooLarge ? Int.max : total
        }
    }

    /// Removes a file, or a directory with its content; links are not followed.
    ///
    /// EINVAL: the directory is deeper than any release.
    static func remove(
        _ name: String, in directory: Directory, depth: Int = 0
    ) throws(Errno) {
        guard try directory.facts(name).isDirectory else { return try directory.unlink(name) }
        if depth >= maximumDepth { throw .invalidArgument }
        let inside = try directory.directory(name)
        for name in try inside.names() { try remove(name, in: inside, depth: depth + 1) }
        try directory.removeDirectory(name)
    }
}
