// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl
import SystemPackage

/// The releases in a release directory.
package struct ReleaseList: Sendable {
    package struct Release: Sendable, Hashable {
        package var name: String
        package var isDirectory: Bool
        /// In bytes; for a directory, of all its files.
        package var size: Int
        /// Seconds since 1970.
        package var addedAt: Int
        package var checksum: String?
        /// What needs the release: `current (bin)`, `pid 4711`; empty: it can be removed.
        package var references: [String]
    }

    package let site: ReleaseSite
    /// Sorted by stem and version, the oldest first.
    package let releases: [Release]

    /// Reads the release directory, and finds the processes that run its releases.
    package static func read(_ site: ReleaseSite) throws(ControlError) -> ReleaseList {
        let names = try names(in: site)
        let checksums = try Checksums.read(site)
        let references = try ReleaseReferences.find(site)
        let releases = try? site.openReleases()
        return ReleaseList(
            site: site,
            releases: names.map { name in
                let facts = site.factsOfRelease(name.text)
                let size = releases.map { FileCopy.size(name.text, in: $0) } ?? 0
                return Release(
                    name: name.text, isDirectory: facts?.isDirectory == true, size: size,
                    addedAt: facts?.modifiedAt ?? 0, checksum: checksums.ofRelease(name.text),
                    references: references.of(name.text))
            })
    }

    static func names(in site: ReleaseSite) throws(ControlError) -> [ReleaseName] {
        let path = site.releaseDirectory
        let entries = try attempt("cannot read the directory \(path)") {
            () throws(Errno) -> [String] in
            do throws(Errno) {
                return try site.openReleases().names()
            } catch {
                if error == .noSuchFileOrDirectory { return [] }
                throw error
            }
        }
        return entries.filter { ReleaseName.isValid($0) }.map { ReleaseName($0) }.sorted()
    }
}

extension ReleaseList {
    package var lines: [String] {
        if releases.isEmpty { return ["\(site.releaseDirectory) has no release"] }
        let rows = releases.map { release in
            [
                release.name + (release.isDirectory ? "/" : ""), "\(release.size)",
                Timestamp.text(seconds: release.addedAt),
                release.checksum.map { String($0.prefix(12)) } ?? "-",
                release.references.joined(separator: ", "),
            ]
        }
        return TextTable.lines(
            [["RELEASE", "BYTES", "ADDED", "SHA-256", "USED BY"]] + rows,
            [.left, .right, .left, .left, .left])
    }

    package var json: [JSONValue] {
        releases.map { release in
            [
                "event": "release", "name": .string(release.name),
                "path": .string(site.releaseDirectory + "/" + release.name),
                "directory": .bool(release.isDirectory), "bytes": .integer(release.size),
                "added": .string(Timestamp.text(seconds: release.addedAt)),
                "sha256": .optional(release.checksum),
                "used_by": .array(release.references.map { .string($0) }),
            ]
        }
    }
}
