// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

/// Formats rows of text in columns.
package enum TextTable {
    package enum Alignment {
        case left, right
    }

    /// The lines of the table: a column is as wide as its widest cell, and two spaces separate columns.
    package static func lines(_ rows: [[String]], _ alignments: [Alignment]) -> [String] {
        let widths = alignments.indices.map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            let cells = zip(row, zip(widths, alignments)).map { cell, form in
                cell.padded(to: form.0, form.1)
            }
            return cells.joined(separator: "  ").trimmingEnd()
        }
    }
}

extension String {
    package func padded(to width: Int, _ alignment: TextTable.Alignment = .left) -> String {
        let padding = String(repeating: " ", count: max(0, width - count))
        return alignment == .left ? self + padding : padding + self
    }

    func trimmingEnd() -> String {
        var rest = self[...]
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }

    /// The text with control characters shown as `?`: text from a server must not control the operator's terminal.
    package var terminalSafe: String {
        TerminalText.line(self)
    }
}

/// `1 connection`, `3 connections`.
package func counted(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
}
