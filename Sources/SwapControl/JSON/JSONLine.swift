// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SuccessionProtocol

/// One object in one line, its keys in the order of the alphabet.
package enum JSONLine {
    package static func text(_ value: JSONValue) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Nothing in a value can fail to encode: there are no floating-point numbers in it.
        guard let data = try? encoder.encode(value) else { return "{}" }
        return escaped(String(decoding: data, as: UTF8.self))
    }

    /// What JSON lets stand, and a terminal does not: DEL, C1, and what turns the direction of writing.
    private static func escaped(_ text: String) -> String {
        if TerminalText.line(text) == text { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if TerminalText.isControl(scalar) {
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
