// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// One object in one line, its keys in the order of the alphabet.
package enum JSONLine {
    package static func text(_ value: JSONValue) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Nothing in a value can fail to encode: there are no floating-point numbers in it.
        guard let data = try? encoder.encode(value) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }
}
