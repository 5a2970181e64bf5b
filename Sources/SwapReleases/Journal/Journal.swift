// SPDX-License-Identifier: Apache-2.0

package import SwapControl

/// The journal of a site: an entry for every attempt to change what serves.
///
/// See ``JournalFile`` for its form on the disk.
package struct Journal: Sendable {
    /// The oldest first.
    package let entries: [JournalEntry]

    /// Reads all entries; an incomplete line, as a crash leaves it, is skipped.
    package static func read(_ site: ReleaseSite) throws(ControlError) -> Journal {
        var newestFirst: [JournalEntry] = []
        try JournalFile.lines(site) { line in
            if let entry = JournalEntry(line: line) { newestFirst.append(entry) }
            return true
        }
        // The entries that a rotation copies into the new file are there twice: the older one counts.
        var seen: Set<String> = []
        return Journal(entries: newestFirst.reversed().filter { seen.insert($0.id).inserted })
    }

    /// The newest entry that satisfies a condition; nil: none does, back to the entry `end` and
    /// including it.
    ///
    /// Reads only as far back as necessary.
    static func last(
        _ site: ReleaseSite, downTo end: String? = nil, where matches: (JournalEntry) -> Bool
    ) throws(ControlError) -> JournalEntry? {
        var found: JournalEntry?
        try JournalFile.lines(site) { line in
            guard let entry = JournalEntry(line: line) else { return true }
            if matches(entry) { found = entry }
            return found == nil && entry.id != end
        }
        return found
    }

    /// Adds an entry; it is on the disk when this returns.
    static func append(_ entry: JournalEntry, to site: ReleaseSite) throws(ControlError) {
        try JournalFile.append(JSONLine.text(entry.json), to: site)
    }

    /// The entries of one service.
    package func of(_ service: String) -> Journal {
        Journal(entries: entries.filter { $0.service == service })
    }

    /// The target of each switch, by its identifier.
    var selections: [String: SelectedFiles] {
        Dictionary(entries.compactMap { entry in entry.to.map { (entry.id, $0) } }) { $1 }
    }

    /// The release that was committed last, except the serving one.
    func previous(of serving: SelectedFiles?) -> SelectedFiles? {
        entries.last { $0.result == .committed && $0.to != nil && $0.to != serving }?.to
    }

    /// The files that were committed when a release was last used: the program with the configuration
    /// of that time.
    func last(with release: String, _ site: ReleaseSite) -> SelectedFiles? {
        let path = site.releaseDirectory + "/" + release
        return entries.last { entry in
            entry.result == .committed
                && entry.to?.files.values.contains { $0 == path || $0.hasPrefix(path + "/") }
                    == true
        }?.to
    }
}

extension Journal {
    /// When each release served last, by its name: the time when it was replaced, else the time when it
    /// was committed.
    func lastServed(_ site: ReleaseSite) -> [String: String] {
        var times: [String: String] = [:]
        for entry in entries where entry.result == .committed {
            for path in [entry.from, entry.to].compactMap({ $0 }).flatMap(\.files.values) {
                guard let relative = Path.relative(path, to: site.releaseDirectory),
                    let name = relative.split(separator: "/").first.map(String.init)
                else { continue }
                times[name] = max(times[name] ?? "", entry.time)
            }
        }
        return times
    }
}
