// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl
import SystemPackage

/// Puts a copy of a file or a directory into the release directory, whole or not at all.
package struct ReleaseAddition: Sendable {
    package let name: String
    package let path: String
    package let files: Int
    package let digest: String
    /// It was there already, and the same.
    package let isUnchanged: Bool

    /// Copies `source` to the name `name`, which is its own unless given.
    ///
    /// It has its name only when it is complete and on the disk. A name that is taken by something
    /// else is an error: what was once released does not change. `expected` is the SHA-256 the
    /// file must have.
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
        let releases = try attempt("cannot look into \(site.releaseDirectory)") {
            () throws(Errno) in try site.openReleases()
        }
        let temporary = Path.temporaryName(for: name)
        do throws(ControlError) {
            let files = try copy(found, to: temporary, in: releases)
            let digest = digest(files, below: "release/\(name)")
            if let expected, expected.lowercased() != digest {
                throw ControlError.configuration(
                    "\(source) has the SHA-256 \(digest), not \(expected); nothing was added: "
                        + "upload it again")
            }
            // Not before: a copy may take long, and a watch would have to wait for it.
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

    /// Where it is, with the directory it is in.
    private static func checked(_ source: String) throws(ControlError) -> LinkChain {
        var path = try Path.absolute(source)
        while path.hasSuffix("/"), path != "/" { path.removeLast() }
        let chain: LinkChain
        do {
            // A link is what it leads to: the release shall not change with it.
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
        _ source: LinkChain, to temporary: String, in releases: Directory
    ) throws(ControlError) -> [(path: String, digest: String)] {
        do {
            return try FileCopy.copy(
                source.end.name, in: source.end.directory, to: temporary, in: releases)
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

    /// Records the checksums, then gives the copy its name: a release is never without them.
    ///
    /// The lock of the files keeps every other swapctl out meanwhile.
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

    /// Throws unless the same is there already; what nothing was recorded of is looked at.
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
                "\(path) exists and is something else; a release does not change: add it under "
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

    /// Removes what processes that are gone have left unfinished.
    static func removeLeftovers(_ site: ReleaseSite) {
        let directories = [try? site.openReleases(), site.root, try? site.openState()]
        for case let directory? in directories {
            for name in (try? directory.names()) ?? [] {
                guard let owner = Path.temporaryOwner(name), ProcessStatus.of(owner) == nil else {
                    continue
                }
                try? FileCopy.remove(name, in: directory)
            }
        }
    }
}

extension ReleaseAddition {
    package var sentence: String {
        let count = files == 1 ? "" : ", \(counted(files, "file"))"
        return isUnchanged
            ? "\(name) is there already, and the same"
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
