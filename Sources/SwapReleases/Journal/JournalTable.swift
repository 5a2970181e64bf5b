// SPDX-License-Identifier: Apache-2.0

import SwapControl

extension Journal {
    private static let width = 80

    /// The last entries for the terminal, the newest last: a row for each, and below it the cause
    /// and the reason of a failure.
    ///
    /// No line is longer than 80 columns.
    package func lines(_ site: ReleaseSite, last count: Int) -> [String] {
        if entries.isEmpty { return ["\(site.journalPath) has no entries yet"] }
        let shown = entries.suffix(count)
        let heading = ["TIME (UTC)", "BY", "WHAT", "FROM", "TO", "RESULT"]
        var rows =
            [heading]
            + shown.map { entry in
                [
                    Self.minute(entry.time), entry.by.name.shortened(to: 10), entry.verb.rawValue,
                    "", "", entry.result.word,
                ].map(\.terminalSafe)
            }
        // FROM and TO share the width that the other columns leave.
        let others = [0, 1, 2, 5].map { column in rows.map { $0[column].count }.max() ?? 0 }
        let room = Self.width - others.reduce(0, +) - 2 * (heading.count - 1)
        for (row, entry) in zip(rows.indices.dropFirst(), shown) {
            rows[row][3] = Self.names(entry.from, site, room / 2)
            rows[row][4] = Self.names(entry.to, site, room / 2)
        }
        let lines = TextTable.lines(rows, [.left, .left, .left, .left, .left, .left])
        return [lines[0]]
            + zip(lines.dropFirst(), shown).flatMap { line, entry in
                [line] + entry.detail.terminalSafe.wrapped(to: Self.width, indentation: 4)
            }
    }

    /// `2026-11-21 13:29`.
    private static func minute(_ time: String) -> String {
        String(time.prefix(16)).replacing("T", with: " ")
    }

    /// All names if they fit; else the program, and the number of the other files.
    private static func names(_ selection: SelectedFiles?, _ site: ReleaseSite, _ room: Int)
        -> String
    {
        guard let selection else { return "-" }
        let all = selection.description(in: site).terminalSafe
        if all.count <= room { return all }
        let others = selection.files.count - 1
        let program = SelectedFiles([SelectedFiles.program: selection.program ?? "-"])
            .description(in: site).terminalSafe
        let more = others > 0 ? " +\(others)" : ""
        return program.shortened(to: max(1, room - more.count)) + more
    }
}

extension JournalEntry {
    /// The generation, the time it took, the cause, and the reason of a failure.
    fileprivate var detail: String {
        let took = DurationText.seconds(microseconds: elapsedMicroseconds)
        let who = generation.map { "generation \($0), " } ?? ""
        let rights = by.rightsOfOther.map { ", \($0)" } ?? ""
        return "\(who)\(took)\(rights): \(why)" + (reason.map { ": \($0)" } ?? "")
    }
}

extension JournalEntry.Result {
    /// The word in the table: an operator looks for "failed", not for "unchanged".
    fileprivate var word: String {
        switch self {
        case .committed: "committed"
        case .unchanged: "failed"
        case .refused: "refused"
        }
    }
}

extension String {
    /// Shortened in the middle if it is longer than a width.
    fileprivate func shortened(to width: Int) -> String {
        if count <= width { return self }
        let left = max(0, width - 1) / 2
        return String(prefix(max(0, width - 1 - left))) + "…" + String(suffix(left))
    }

    /// Lines of whole words; only a word that is longer than a line is broken.
    fileprivate func wrapped(to width: Int, indentation: Int) -> [String] {
        let room = max(1, width - indentation)
        let margin = String(repeating: " ", count: indentation)
        var lines: [String] = []
        var line = ""
        for word in split(separator: " ") {
            var word = word
            if !line.isEmpty, line.count + 1 + word.count > room {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? "" : " "
            while line.count + word.count > room {
                let fits = room - line.count
                lines.append(line + word.prefix(fits))
                line = ""
                word = word.dropFirst(fits)
            }
            line += word
        }
        return (line.isEmpty ? lines : lines + [line]).map { margin + $0 }
    }
}
