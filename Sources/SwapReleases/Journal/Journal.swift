// SPDX-License-Identifier: Apache-2.0

package import SwapControl

/// Every change of what a site serves: `.succession/journal`, one JSON object a line; see
/// ``JournalFile``.
package struct Journal: Sendable {
    /// The oldest first.
    package let entries: [JournalEntry]

    /// Reads what there is; a line that was torn by a crash is passed over.
    package static func read(_ site: ReleaseSite) throws(ControlError) -> Journal {
        var newestFirst: [JournalEntry] = []
        try JournalFile.lines(site) { line in
            if let entry = JournalEntry(line: line) { newestFirst.append(entry) }
            return true
        }
        // What was kept of a journal that was put aside is there twice: its own place is the older.
        var seen: Set<String> = []
        return Journal(entries: newestFirst.reversed().filter { seen.insert($0.id).inserted })
    }

    /// The newest entry of which this is true; nil: there is none, or none but before `end`.
    ///
    /// Reads no further back than it must.
    static func last(
        _ site: ReleaseSite, downTo end: String? = nil, where isMeant: (JournalEntry) -> Bool
    ) throws(ControlError) -> JournalEntry? {
        var found: JournalEntry?
        try JournalFile.lines(site) { line in
            guard let entry = JournalEntry(line: line) else { return true }
            if isMeant(entry) { found = entry }
            return found == nil && entry.id != end
        }
        return found
    }

    /// Adds a line; it is on the disk when this returns.
    static func append(_ entry: JournalEntry, to site: ReleaseSite) throws(ControlError) {
        try JournalFile.append(JSONLine.text(entry.json), to: site)
    }

    /// The entries of one service.
    package func of(_ service: String) -> Journal {
        Journal(entries: entries.filter { $0.service == service })
    }

    /// What each switch was to.
    var selections: [String: Selection] {
        Dictionary(entries.compactMap { entry in entry.to.map { (entry.id, $0) } }) { $1 }
    }

    /// What served before what serves now: the last that was committed and is something else.
    func previous(of serving: Selection?) -> Selection? {
        entries.last { $0.result == .committed && $0.to != nil && $0.to != serving }?.to
    }

    /// What was served when a release was last in use: its program with the configuration of then.
    func last(with release: String, _ site: ReleaseSite) -> Selection? {
        let path = site.releaseDirectory + "/" + release
        return entries.last { entry in
            entry.result == .committed
                && entry.to?.files.values.contains { $0 == path || $0.hasPrefix(path + "/") }
                    == true
        }?.to
    }
}

extension Journal {
    /// When each release served last, as far as that is known: when it was taken into use, or when
    /// another one was in its place.
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
