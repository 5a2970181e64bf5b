// SPDX-License-Identifier: Apache-2.0

/// Text of a peer, of a file or of an application as a terminal or a log may get it.
///
/// A control character moves the cursor, sets the title, answers by the keyboard; one that turns the
/// direction of writing shows another text than was written.
package enum TerminalText {
    /// One line: every control character is shown as `?`, but for the tab.
    package static func line(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        return String(
            String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "?" : $0 }))
    }

    /// Lines: as ``line(_:)``, but for what this program itself writes to a terminal: ends of lines,
    /// the return to the beginning of one, and the erasure of its rest.
    package static func lines(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        let scalars = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        for (index, scalar) in scalars.enumerated() {
            let isErasure = scalar == "\u{1B}" && scalars[index...].starts(with: erasure)
            let isKept = scalar == "\n" || scalar == "\r" || isErasure
            result.append(isControl(scalar) && !isKept ? "?" : scalar)
        }
        return String(result)
    }

    private static let erasure = Array("\u{1B}[K".unicodeScalars)

    package static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09: false
        // C0, and C1, which drives some terminals as ESC sequences do.
        case 0x00..<0x20, 0x7F...0x9F: true
        // Line and paragraph separator, and the direction of writing.
        case 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
