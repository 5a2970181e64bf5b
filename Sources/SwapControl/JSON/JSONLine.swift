// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SuccessionProtocol

/// Writes a value as one line of JSON, with the keys of each object in alphabetical order.
package enum JSONLine {
    package static func text(_ value: JSONValue) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // The encoder fails on floating-point numbers alone, and a value has none.
        guard let data = try? encoder.encode(value) else { return "{}" }
        return escaped(String(decoding: data, as: UTF8.self))
    }

    /// Escapes what JSON allows and a terminal would act on: DEL, C1, and bidirectional controls.
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
