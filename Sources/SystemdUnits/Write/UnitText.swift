// SPDX-License-Identifier: Apache-2.0

/// Builds the text of a unit file.
struct UnitText {
    private(set) var text = ""

    /// Begins a section.
    mutating func section(_ name: String) {
        if !text.isEmpty { text += "\n" }
        text += "[\(name)]\n"
    }

    /// Adds a comment on the next lines.
    mutating func comment(_ sentence: String) {
        text += Self.comment(sentence)
    }

    mutating func set(_ key: String, _ value: String) {
        text += "\(key)=\(value)\n"
    }

    mutating func set(_ lines: [(String, String)]) {
        for (key, value) in lines { set(key, value) }
    }

    /// A sentence as comment lines of at most 100 columns.
    private static func comment(_ sentence: String) -> String {
        var lines = [""]
        for word in sentence.split(separator: " ") {
            if lines[lines.count - 1].count + word.count > 97 { lines.append("") }
            lines[lines.count - 1] += " " + word
        }
        return lines.map { "#\($0)\n" }.joined()
    }
}

// MARK: - Words of unit files

extension UnitText {
    /// Whether a word can be the name of a unit, or a part of it.
    static func isUnitWord(_ word: String) -> Bool {
        !word.isEmpty && word.utf8.count <= 100 && word.first != "." && word.first != "-"
            && word.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || "-_.".utf8.contains(byte)
            }
    }

    /// A value with its percent signs doubled: a single one begins a specifier.
    static func value(_ text: String) -> String {
        text.replacing("%", with: "%%")
    }

    /// A command line that systemd splits into exactly these words.
    ///
    /// `keepsInstance` leaves the specifier `%i`, the name of the instance, unescaped.
    static func commandLine(_ words: [String], keepsInstance: Bool = false) -> String {
        // The colon turns the expansion of variables off.
        let prefix = words.contains { $0.contains("$") } ? ":" : ""
        return prefix + words.map { quoted($0, keepsInstance) }.joined(separator: " ")
    }

    private static func quoted(_ word: String, _ keepsInstance: Bool) -> String {
        var result = ""
        for scalar in word.unicodeScalars {
            switch scalar {
            case "\\", "\"": result += "\\\(scalar)"
            case "%": result += "%%"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                result +=
                    "\\x" + (scalar.value < 0x10 ? "0" : "")
                    + String(scalar.value, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        if keepsInstance { result = result.replacing("%%i", with: "%i") }
        let isPlain = !result.isEmpty && !result.contains { " '\";\\".contains($0) }
        return isPlain ? result : "\"\(result)\""
    }
}
