// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl
import SystemPackage

/// Every change of what a site serves: `.succession/journal`, one JSON object a line, only ever
/// added to.
package struct Journal: Sendable {
    /// The oldest first.
    package let entries: [JournalEntry]

    /// Reads what there is; a line that was torn by a crash is passed over.
    package static func read(_ site: ReleaseSite) throws(ControlError) -> Journal {
        let bytes = try attempt("cannot read \(site.journalPath)") { () throws(Errno) -> [UInt8] in
            do throws(Errno) {
                return try DurableFile.read(
                    site.openState(), ReleaseSite.journalName, limit: 1 << 28)
            } catch {
                if error == .noSuchFileOrDirectory { return [] }
                throw error
            }
        }
        return Journal(
            entries: bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
                (try? JSONParser.parse(Array(line))).flatMap(JournalEntry.init)
            })
    }

    /// Adds a line; it is on the disk when this returns.
    static func append(_ entry: JournalEntry, to site: ReleaseSite) throws(ControlError) {
        try attempt("cannot write \(site.journalPath)") { () throws(Errno) in
            try DurableFile.append(
                JSONLine.text(entry.json), to: site.openState(), ReleaseSite.journalName)
        }
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
    /// The last entries as a table, the newest last.
    package func lines(_ site: ReleaseSite, last count: Int) -> [String] {
        if entries.isEmpty { return ["\(site.journalPath) holds nothing yet"] }
        let rows = entries.suffix(count).map { entry in
            [
                entry.time, entry.by.description, entry.verb.rawValue,
                entry.to?.description(in: site) ?? "-", entry.result.rawValue,
                entry.generation.map { "\($0)" } ?? "-",
                DurationText.seconds(microseconds: entry.elapsedMicroseconds),
                entry.reason.map { "\(entry.why): \($0)" } ?? entry.why,
            ].map(\.harmless)
        }
        return Columns.lines(
            [["TIME", "BY", "WHAT", "TO", "RESULT", "GEN", "TOOK", "WHY"]] + rows,
            [.left, .left, .left, .left, .left, .right, .right, .left])
    }
}
