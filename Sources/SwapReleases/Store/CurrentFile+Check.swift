// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

extension CurrentFile {
    /// Throws unless every named file exists, is not empty, and has the checksum it was added with, and
    /// the program is executable.
    func check() throws(ControlError) {
        let checksums = try Checksums.read(site)
        for entry in entries {
            try check(entry, checksums)
        }
    }

    private func check(_ entry: Entry, _ checksums: Checksums) throws(ControlError) {
        let path = entry.path
        let isProgram = entry.key == SelectedFiles.program
        let chain: LinkChain
        do {
            chain = try ReleaseSite.follow(anywhere: path)
        } catch {
            throw wrong(entry, FileProblem.of(error.errno, path))
        }
        if let reason = FileProblem.of(chain, path, isProgram: isProgram) {
            throw wrong(entry, reason)
        }
        guard let recorded = checksums.of(chain.path) else { return }
        let found = try attempt("cannot read \(path)") { () throws(Errno) in
            try SHA256.ofFile(chain.end.directory, chain.end.name)
        }
        if found != recorded {
            throw wrong(
                entry,
                "was changed after it was added: its SHA-256 is \(found.prefix(12))…, recorded is "
                    + "\(recorded.prefix(12))…; add it again under another name")
        }
    }

    private func wrong(_ entry: Entry, _ reason: String) -> ControlError {
        .configuration(
            "\(site.currentPath):\(entry.place): \"\(entry.key)\(SelectedFiles.suffix)\": "
                + "\(entry.path) \(reason)")
    }
}

/// Why a file cannot be served.
enum FileProblem {
    /// The second part of a sentence that begins with the path, with advice; nil: the file can be served.
    static func of(_ path: String, isProgram: Bool) -> String? {
        do {
            return of(try ReleaseSite.follow(anywhere: path), path, isProgram: isProgram)
        } catch {
            return of(error.errno, path)
        }
    }

    /// The same for a path that was followed already.
    static func of(_ chain: LinkChain, _ path: String, isProgram: Bool) -> String? {
        let facts: FileFacts
        do {
            facts = try chain.facts()
        } catch {
            return of(error, path)
        }
        if facts.isDirectory { return "is a directory; name a file in it" }
        if !facts.isRegularFile { return "is not a regular file" }
        if facts.size == 0 { return "is empty; upload it again" }
        if isProgram, !facts.isExecutable {
            return "is not executable; run `chmod +x \(path)`"
        }
        return nil
    }

    static func of(_ error: Errno, _ path: String) -> String {
        switch error {
        case .noSuchFileOrDirectory:
            let isLink = (try? Syscall.linkStatus(path))?.isSymbolicLink == true
            return isLink
                ? "is a link that leads nowhere"
                : "does not exist; see `swapctl release list` for what does"
        case .tooManySymbolicLinkLevels: return "cannot be reached: its links lead in a circle"
        case .notDirectory: return "cannot be reached: a part of the path is not a directory"
        case .permissionDenied: return "cannot be reached: \(error)"
        default: return "cannot be read: \(error)"
        }
    }
}
