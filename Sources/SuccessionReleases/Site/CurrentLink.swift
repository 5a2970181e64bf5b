// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// `current.conf` as a symbolic link.
struct CurrentLink: Sendable, Hashable {
    /// As it stands in the link.
    var target: String
    /// The file at the end of all links; nil: not known.
    var file: String?

    /// Nil: it is no link.
    static func read(_ site: ReleaseSite) -> CurrentLink? {
        guard let target = try? Syscall.readLink(site.currentPath) else { return nil }
        return CurrentLink(target: target, file: try? Syscall.realPath(site.currentPath))
    }
}

/// What decides where a path leads.
enum LinkChain {
    private static let longest = 40

    /// Each link on the way, and what is at the end, there or not: its name and its directory.
    ///
    /// The directory of `path` must be one without links.
    static func names(from path: String) -> [(directory: String, name: String)] {
        var names: [(directory: String, name: String)] = []
        var directory = Path.parent(path)
        var left = [Path.name(path)]
        var links = 0
        while !left.isEmpty {
            let name = left.removeFirst()
            if name.isEmpty || name == "." { continue }
            if name == ".." {
                directory = Path.parent(directory)
                continue
            }
            let here = directory == "/" ? "/\(name)" : "\(directory)/\(name)"
            guard let target = try? Syscall.readLink(here) else {
                if left.isEmpty { names.append((directory, name)) }
                directory = here
                continue
            }
            names.append((directory, name))
            links += 1
            if links > longest { return names }
            left = target.split(separator: "/").map(String.init) + left
            if target.hasPrefix("/") { directory = "/" }
        }
        return names
    }
}
