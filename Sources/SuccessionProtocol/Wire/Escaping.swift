// SPDX-License-Identifier: Apache-2.0

/// Percent-escapes: how a value may hold what would end its line, or its field.
enum Escaping {
    private static let digits = [UInt8]("0123456789ABCDEF".utf8)
    private static let percent = UInt8(ascii: "%")

    /// Whether a byte may stand in a value only as an escape; `%` is the escape itself and is not
    /// meant here.
    static func isControl(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x7F
    }

    static func encode(_ text: String, escapingSpace: Bool) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            let isSpace = escapingSpace && byte == UInt8(ascii: " ")
            if isControl(byte) || byte == percent || isSpace {
                result += [percent, digits[Int(byte >> 4)], digits[Int(byte & 0x0F)]]
            } else {
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Nil: an escape without its two hexadecimal digits, or bytes that are no UTF-8 once decoded.
    static func decode(_ text: String) -> String? {
        guard text.utf8.contains(percent) else { return text }
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count)
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == percent else {
                result.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(value(ofDigit:)),
                let low = rest.popFirst().flatMap(value(ofDigit:))
            else { return nil }
            result.append(high << 4 | low)
        }
        return String(validating: result, as: UTF8.self)
    }

    private static func value(ofDigit byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
