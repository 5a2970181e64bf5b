// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl
import SystemPackage

/// Adds a copy of a file or a directory to the release directory, completely or not at all.
package struct ReleaseAddition: Sendable {
    package let name: String
    package let path: String
    package let files: Int
    package let digest: String
    /// Whether the same release existed already.
    package let isUnchanged: Bool

    /// Copies `source` to a release with the given name, or with its own.
    ///
    /// The copy gets its name when it is complete and on the disk. A name that another release has is an
    /// error: a release never changes. `expected` is the SHA-256 the source must have.
    package static func add(
        _ source: String, as given: String?, to site: ReleaseSite, expected: String? = nil
    ) throws(ControlError) -> ReleaseAddition {
        let found = try checked(source)
        let source = found.path
        let name = given ?? Path.name(source)
        guard ReleaseName.isValid(name) else {
            throw .wrongUsage(
                "'\(name.terminalSafe)' cannot be the name of a release; give one with --as")
        }
        try site.prepareReleases()
        try site.prepareState()
        removeLeftovers(site)
        let path = site.releaseDirectory + "/" + name
        let releases = try attempt("cannot read the directory \(site.releaseDirectory)") {
            () throws(Errno) in try site.openReleases()
        }
        let temporary = Path.temporaryName(for: name)
        var temporaryLock: OwnedDescriptor?
        defer { withExtendedLifetime(temporaryLock) {} }
        do throws(ControlError) {
            let files = try copy(found, to: temporary, in: releases) {
                temporaryLock = DurableFile.lock(temporary, in: releases)
            }
            let digest = digest(files, below: "release/\(name)")
            if let expected, expected.lowercased() != digest {
                throw ControlError.configuration(
                    "\(source) has the SHA-256 \(digest), not \(expected); nothing was added: "
                        + "upload it again")
            }
            // After the copy, which may take long: a watch waits for this lock.
            let lock = try SiteLock.files(site)
            defer { withExtendedLifetime(lock) {} }
            let isNew = (try? releases.facts(name)) == nil
            if isNew {
                try place(temporary, as: name, in: releases, files, site)
            } else {
                try compare(temporary, with: name, in: releases, digest, files, site)
            }
            return ReleaseAddition(
                name: name, path: path, files: files.count, digest: digest, isUnchanged: !isNew)
        } catch {
            try? FileCopy.remove(temporary, in: releases)
            throw error
        }
    }

    /// Follows the path of the source, and checks that it can be copied.
    private static func checked(_ source: String) throws(ControlError) -> LinkChain {
        var path = try Path.absolute(source)
        while path.hasSuffix("/"), path != "/" { path.removeLast() }
        let chain: LinkChain
        do {
            // The file behind a link is copied, so that the release does not change with the link.
            chain = try ReleaseSite.follow(anywhere: path)
        } catch {
            throw .configuration("\(path) \(FileProblem.of(error.errno, path))")
        }
        if (try? chain.facts())?.isDirectory == true { return chain }
        if let reason = FileProblem.of(chain, path, isProgram: false) {
            throw .configuration("\(chain.path) \(reason)")
        }
        return chain
    }

    private static func copy(
        _ source: LinkChain, to temporary: String, in releases: Directory, made: () -> Void
    ) throws(ControlError) -> [(path: String, digest: String)] {
        do {
            return try FileCopy.copy(
                source.end.name, in: source.end.directory, to: temporary, in: releases, made: made)
        } catch {
            if error.errno == .invalidArgument {
                throw .configuration("\(error.path) is neither a file nor a directory nor a link")
            }
            throw .file("cannot copy \(error.path) to \(releases.path)", error.errno)
        }
    }

    /// The digest of the file, or of the list of the files of a directory.
    private static func digest(_ files: [(path: String, digest: String)], below name: String)
        -> String
    {
        if files.count == 1, files[0].path.isEmpty { return files[0].digest }
        let lines = files.sorted { $0.path < $1.path }.map { "\($0.digest)  \(name)\($0.path)\n" }
        return SHA256.of(Array(lines.joined().utf8))
    }

    /// Records the checksums, then gives the copy its name: a release always has checksums.
    ///
    /// The caller holds the lock of the files.
    private static func place(
        _ temporary: String, as name: String, in releases: Directory,
        _ files: [(path: String, digest: String)], _ site: ReleaseSite
    ) throws(ControlError) {
        let path = site.releaseDirectory + "/" + name
        let before = try Checksums.read(site)
        try record(files, path, in: before)
        do {
            try attempt("cannot name the copy \(path)") { () throws(Errno) in
                do throws(Errno) {
                    try releases.renameToNew(temporary, name)
                } catch {
                    guard error == .invalidArgument || error == .noFunction else { throw error }
                    guard (try? releases.facts(name)) == nil else { throw .fileExists }
                    try releases.rename(temporary, to: name)
                }
                try releases.synchronize()
            }
        } catch {
            if (try? releases.facts(temporary)) != nil { try? before.write() }
            throw error
        }
    }

    /// Throws unless the release with this name has the same content; if it has no recorded checksums,
    /// its files are read.
    private static func compare(
        _ temporary: String, with name: String, in releases: Directory, _ digest: String,
        _ files: [(path: String, digest: String)], _ site: ReleaseSite
    ) throws(ControlError) {
        let path = site.releaseDirectory + "/" + name
        let checksums = try Checksums.read(site)
        let recorded = checksums.ofRelease(name)
        let found =
            recorded
            ?? (try? FileCopy.digests(name, in: releases)).map {
                Self.digest($0, below: "release/\(name)")
            }
        guard found == digest else {
            throw .configuration(
                "\(path) exists with other content; a release does not change: add this one under "
                    + "another name with --as")
        }
        if recorded == nil { try record(files, path, in: checksums) }
        try attempt("cannot remove \(releases.child(temporary))") { () throws(Errno) in
            try FileCopy.remove(temporary, in: releases)
        }
    }

    private static func record(
        _ files: [(path: String, digest: String)], _ path: String, in checksums: Checksums
    ) throws(ControlError) {
        var checksums = checksums
        checksums.removeRelease(Path.name(path))
        for file in files { checksums.set(path + file.path, file.digest) }
        try checksums.write()
    }

    /// Removes the temporary files of processes that have ended.
    ///
    /// `isSwitching`: the caller holds the lock of the switch.
    static func removeLeftovers(_ site: ReleaseSite, isSwitching: Bool = false) {
        let directories = [try? site.openReleases(), site.root, try? site.openState()]
        for case let directory? in directories {
            for name in (try? directory.names()) ?? [] {
                guard let owner = Path.temporaryOwner(name), ProcessStatus.of(owner) == nil else {
                    continue
                }
                guard let facts = try? directory.facts(name) else { continue }
                // A link cannot be locked. Links are made by the holder of the lock of the switch alone.
                if facts.isSymbolicLink, !isSwitching { continue }
                // A process of another pid namespace is not seen, but its lock is.
                let lock = facts.isSymbolicLink ? nil : DurableFile.lock(name, in: directory)
                guard facts.isSymbolicLink || lock != nil else { continue }
                try? FileCopy.remove(name, in: directory)
                withExtendedLifetime(lock) {}
            }
        }
    }
}

extension ReleaseAddition {
    package var sentence: String {
        let count = files == 1 ? "" : ", \(counted(files, "file"))"
        return isUnchanged
            ? "\(name) exists already with the same content"
            : "\(name) added\(count), SHA-256 \(digest.prefix(12))…"
    }

    package var json: JSONValue {
        [
            "event": "result", "verb": "add", "name": .string(name), "path": .string(path),
            "files": .integer(files), "sha256": .string(digest),
            "result": isUnchanged ? "unchanged" : "added", "exit_code": .integer(0),
        ]
    }
}
