// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// Turns what an operator writes, `app.2.0`, `2.0` or `cfg=cfg.2.0`, into keys and paths.
struct ReleaseChoice {
    let site: ReleaseSite
    /// What is named now.
    let current: Selection

    /// The files to name instead; keys that are not concerned are left out.
    func resolve(_ words: [String]) throws(ControlError) -> [String: String] {
        var chosen: [String: String] = [:]
        for word in words {
            for (key, path) in try resolve(word) {
                if let other = chosen[key], other != path {
                    throw .wrongUsage("\(word) and \(Path.name(other)) are both for \(key).file")
                }
                chosen[key] = path
            }
        }
        return chosen
    }

    private func resolve(_ word: String) throws(ControlError) -> [(String, String)] {
        if let equals = word.firstIndex(of: "=") {
            let key = String(word[..<equals])
            let path = String(word[word.index(after: equals)...])
            guard ReleaseSite.isValidName(key), !path.isEmpty else {
                throw .wrongUsage("'\(word.harmless)' is not KEY=RELEASE, as in bin=app.2.0")
            }
            return [(key, path.hasPrefix("/") ? path : site.releaseDirectory + "/" + path)]
        }
        guard ReleaseName.isValid(word) else {
            throw .wrongUsage("'\(word.harmless)' cannot be the name of a release")
        }
        let path = site.releaseDirectory + "/" + word
        if let facts = site.factsOfRelease(word) {
            return facts.isDirectory ? try inDirectory(word) : [(key(ReleaseName(word)), path)]
        }
        let found = try ofVersion(word)
        if found.isEmpty { throw try unknown(word) }
        return found
    }

    /// The key whose file has this stem now; else `bin` for the name of the site, else the stem.
    private func key(_ release: ReleaseName) -> String {
        for key in current.order {
            guard let path = current.files[key], Path.parent(path) == site.releaseDirectory,
                ReleaseName(Path.name(path)).stem == release.stem
            else { continue }
            return key
        }
        return release.stem == site.name || release.stem.isEmpty ? Selection.program : release.stem
    }

    /// Every key whose file lies in a release that is a directory gets the same file of this one.
    private func inDirectory(_ release: String) throws(ControlError) -> [(String, String)] {
        let moved = current.files.compactMap { key, path -> (String, String)? in
            guard let relative = Path.relative(path, to: site.releaseDirectory),
                let slash = relative.firstIndex(of: "/")
            else { return nil }
            return (key, "\(site.releaseDirectory)/\(release)\(relative[slash...])")
        }
        if moved.isEmpty {
            throw .wrongUsage(
                "\(release) is a directory, and what is named now does not lie in one; say which "
                    + "file is what, as in bin=\(release)/PROGRAM")
        }
        return moved
    }

    /// Every key for whose stem there is this version.
    private func ofVersion(_ version: String) throws(ControlError) -> [(String, String)] {
        let names = try ReleaseList.names(in: site).filter { $0.version == version }
        let stems = Set(
            current.files.values.map { ReleaseName(Path.name($0)).stem } + [site.name])
        return names.filter { stems.contains($0.stem) }.map {
            (key($0), site.releaseDirectory + "/" + $0.text)
        }
    }

    private func unknown(_ word: String) throws(ControlError) -> ControlError {
        let names = try ReleaseList.names(in: site).map(\.text)
        let there = names.isEmpty ? "there is none" : "there are \(names.joined(separator: ", "))"
        return .configuration(
            "no release '\(word)' in \(site.releaseDirectory): \(there); see "
                + "`swapctl release add --help`")
    }
}
