// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// The SHA-256 of every file that was added, in the format of `sha256sum -c`, with paths from the
/// directory of the site.
struct Checksums: Sendable {
    private let site: ReleaseSite
    /// By path from the directory of the site.
    private var digests: [String: String] = [:]

    static func read(_ site: ReleaseSite) throws(ControlError) -> Checksums {
        var checksums = Checksums(site: site)
        let path = site.checksumsPath
        let bytes = try attempt("cannot read \(path)") { () throws(Errno) -> [UInt8] in
            do throws(Errno) {
                return try DurableFile.read(site.openState(), ReleaseSite.checksumsName)
            } catch {
                if error == .noSuchFileOrDirectory { return [] }
                throw error
            }
        }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            // 64 digits and two spaces; other lines are skipped.
            let digest = line.prefix(64)
            guard line.utf8.count > 66, digest.allSatisfy(\.isHexDigit) else { continue }
            checksums.digests[String(line.dropFirst(66))] = String(digest)
        }
        return checksums
    }

    /// The recorded digest of a path without links; nil if there is none.
    func of(_ path: String) -> String? {
        Path.relative(path, to: site.directory).flatMap { digests[$0] }
    }

    /// The digest of a release: that of its file, or of the list of its files if it is a directory.
    func ofRelease(_ name: String) -> String? {
        let path = "release/\(name)"
        if let digest = digests[path] { return digest }
        let files = digests.filter { $0.key.hasPrefix(path + "/") }.sorted { $0.key < $1.key }
        if files.isEmpty { return nil }
        return SHA256.of(Array(files.map { "\($0.value)  \($0.key)\n" }.joined().utf8))
    }

    mutating func set(_ path: String, _ digest: String) {
        guard let relative = Path.relative(path, to: site.directory) else { return }
        digests[relative] = digest
    }

    mutating func removeRelease(_ name: String) {
        let path = "release/\(name)"
        digests = digests.filter { $0.key != path && !$0.key.hasPrefix(path + "/") }
    }

    func write() throws(ControlError) {
        let lines = digests.sorted { $0.key < $1.key }.map { "\($0.value)  \($0.key)\n" }
        try attempt("cannot write \(site.checksumsPath)") { () throws(Errno) in
            try DurableFile.replace(
                site.openState(), ReleaseSite.checksumsName, Array(lines.joined().utf8))
        }
    }
}
