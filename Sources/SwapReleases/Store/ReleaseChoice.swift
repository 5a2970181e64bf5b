// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// Resolves the releases that an operator names, such as `app.2.0`, `2.0` or `cfg=cfg.2.0`, to keys
/// and paths.
struct ReleaseChoice {
    let site: ReleaseSite
    /// The files that `current.conf` names now.
    let current: SelectedFiles

    /// The new path of each key that changes.
    ///
    /// A new key is made only if a word has the form `KEY=RELEASE`, or if no file is named yet.
    func resolve(_ words: [String]) throws(ControlError) -> [String: String] {
        var chosen: [String: String] = [:]
        for word in words {
            for (key, path) in try resolve(word, isAlone: words.count == 1) {
                if let other = chosen[key], other != path {
                    throw .wrongUsage("\(word) and \(Path.name(other)) are both for \(key).file")
                }
                chosen[key] = path
            }
        }
        if current.files.isEmpty, chosen[SelectedFiles.program] == nil {
            throw .wrongUsage(
                "which of \(words.joined(separator: ", ").terminalSafe) is the program? write "
                    + "\(SelectedFiles.program)=RELEASE")
        }
        return chosen
    }

    private func resolve(
        _ word: String, isAlone: Bool
    ) throws(ControlError) -> [(String, String)] {
        if let equals = word.firstIndex(of: "=") {
            let key = String(word[..<equals])
            let path = String(word[word.index(after: equals)...])
            guard ReleaseSite.isValidName(key), !path.isEmpty else {
                throw .wrongUsage("'\(word.terminalSafe)' is not KEY=RELEASE, as in bin=app.2.0")
            }
            return [(key, path.hasPrefix("/") ? path : site.releaseDirectory + "/" + path)]
        }
        guard ReleaseName.isValid(word) else {
            throw .wrongUsage("'\(word.terminalSafe)' cannot be the name of a release")
        }
        let path = site.releaseDirectory + "/" + word
        if let facts = site.factsOfRelease(word) {
            if facts.isDirectory { return try inDirectory(word) }
            return [(try key(ReleaseName(word, stems: stems), isAlone: isAlone), path)]
        }
        let found = try ofVersion(word)
        if found.isEmpty { throw try unknown(word) }
        return found
    }

    /// The key of a release: the one whose present file has the same stem; else `bin`, if the stem is
    /// the name of the site or there is no other key.
    private func key(_ release: ReleaseName, isAlone: Bool) throws(ControlError) -> String {
        for key in current.order.reversed() where stem(of: key) == release.stem { return key }
        let isProgram = release.stem == site.name || release.stem.isEmpty
        let isOnlyProgram = Set(current.files.keys).isSubset(of: [SelectedFiles.program])
        if isProgram || isOnlyProgram && (isAlone || !current.files.isEmpty) {
            return SelectedFiles.program
        }
        // If several files are the first ones of a site, the stem of each becomes its key.
        if current.files.isEmpty, !release.version.isEmpty, ReleaseSite.isValidName(release.stem) {
            return release.stem
        }
        let keys = current.order.reversed().joined(separator: ", ")
        throw .wrongUsage(
            "which key is \(release.text) for? "
                + (keys.isEmpty ? "nothing is named yet" : "there are \(keys)")
                + "; write KEY=\(release.text), which may be a new key")
    }

    /// The stems of the releases in this site.
    private var stems: Set<String> {
        ReleaseName.stems(current.files.keys.compactMap(release(of:))).union([site.name])
    }

    private func stem(of key: String) -> String? {
        release(of: key).map { ReleaseName($0, stems: stems).stem }
    }

    /// The present release of a key, if that is one file.
    private func release(of key: String) -> String? {
        guard let path = current.files[key] else { return nil }
        let directory = Path.parent(path)
        let isHere =
            directory == site.releaseDirectory
            // The path in current.conf may lead there by a link.
            || ReleaseSite.resolved(directory) == site.releaseDirectory
        return isHere ? Path.name(path) : nil
    }

    /// For each key whose file is in a release directory: the same file in another release directory.
    private func inDirectory(_ release: String) throws(ControlError) -> [(String, String)] {
        let moved = current.files.compactMap { key, path -> (String, String)? in
            guard let relative = Path.relative(path, to: site.releaseDirectory),
                let slash = relative.firstIndex(of: "/")
            else { return nil }
            return (key, "\(site.releaseDirectory)/\(release)\(relative[slash...])")
        }
        if moved.isEmpty {
            throw .wrongUsage(
                "\(release) is a directory, and the files that are named now are not in one; name "
                    + "each file with its key, as in bin=\(release)/PROGRAM")
        }
        return moved
    }

    /// The release with this version for each key; every release with it if no file is named yet.
    private func ofVersion(_ version: String) throws(ControlError) -> [(String, String)] {
        let names = try ReleaseList.names(in: site).map { ReleaseName($0.text, stems: stems) }
            .filter { $0.version == version }
        if current.files.isEmpty { return try first(names) }
        let known = Set(current.files.keys.compactMap(stem(of:)) + [site.name])
        var found: [(String, String)] = []
        for name in names where known.contains(name.stem) {
            found.append((try key(name, isAlone: true), site.releaseDirectory + "/" + name.text))
        }
        return found
    }

    /// The keys of the first releases of a site.
    ///
    /// The program is the file with the name of the site, else the only executable one.
    private func first(_ names: [ReleaseName]) throws(ControlError) -> [(String, String)] {
        let named = names.filter { $0.stem == site.name }
        let executable = names.filter { name in
            site.factsOfRelease(name.text)?.isExecutable == true
        }
        let program = named.first ?? (executable.count == 1 ? executable[0] : nil)
        var found: [(String, String)] = []
        for name in names {
            let key =
                name == program
                ? SelectedFiles.program : try key(name, isAlone: names.count == 1)
            found.append((key, site.releaseDirectory + "/" + name.text))
        }
        return found
    }

    private func unknown(_ word: String) throws(ControlError) -> ControlError {
        let names = try ReleaseList.names(in: site).map(\.text)
        let there = names.isEmpty ? "there is none" : "there are \(names.joined(separator: ", "))"
        return .configuration(
            "no release '\(word)' in \(site.releaseDirectory): \(there); see "
                + "`swapctl release add --help`")
    }
}
