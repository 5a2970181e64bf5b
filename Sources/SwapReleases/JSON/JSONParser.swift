// SPDX-License-Identifier: Apache-2.0

/// A strict parser of JSON (RFC 8259) that keeps the place of each value.
///
/// Foundation's decoder does not report the places of keys, which messages and edits of `current.conf`
/// need.
package struct JSONParser {
    private static let maximumDepth = 64

    private let bytes: [UInt8]
    private var index = 0
    private var depth = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Parses a text that holds one value.
    package static func parse(_ bytes: [UInt8]) throws(JSONSyntaxError) -> JSONNode {
        var parser = JSONParser(bytes)
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw parser.failure("the text is not UTF-8")
        }
        parser.skipSpace()
        if parser.current == nil { throw parser.failure("the text is empty") }
        let node = try parser.value()
        parser.skipSpace()
        if parser.current != nil { throw parser.failure("there is more text after the value") }
        return node
    }

    // MARK: - Values

    private mutating func value() throws(JSONSyntaxError) -> JSONNode {
        let start = index
        depth += 1
        defer { depth -= 1 }
        if depth > Self.maximumDepth { throw failure("values are nested too deeply") }
        let value: JSONNode.Value
        switch current {
        case UInt8(ascii: "{"): value = .object(try object())
        case UInt8(ascii: "["): value = .array(try array())
        case UInt8(ascii: "\""): value = .string(try string())
        case let byte? where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte):
            value = .number(try number())
        case UInt8(ascii: "t"): value = try word("true", .bool(true))
        case UInt8(ascii: "f"): value = try word("false", .bool(false))
        case UInt8(ascii: "n"): value = try word("null", .null)
        case nil: throw failure("the text ends where a value should begin")
        default: throw failure("a value should begin here")
        }
        return JSONNode(value: value, range: start..<index)
    }

    private mutating func object() throws(JSONSyntaxError) -> [JSONNode.Member] {
        var members: [JSONNode.Member] = []
        var keys: Set<String> = []
        index += 1
        skipSpace()
        if take("}") { return members }
        while true {
            skipSpace()
            let start = index
            guard current == UInt8(ascii: "\"") else {
                throw failure(
                    members.isEmpty
                        ? "a key in quotation marks, or }, should follow"
                        : "a key in quotation marks should follow after the comma")
            }
            let key = try string()
            guard keys.insert(key).inserted else {
                throw failure("the key \"\(key)\" is a duplicate", at: start)
            }
            skipSpace()
            guard take(":") else { throw failure("a colon should follow after \"\(key)\"") }
            skipSpace()
            members.append(.init(key: key, keyStart: start, node: try value()))
            skipSpace()
            if take("}") { return members }
            guard take(",") else {
                throw failure("a comma or } should follow after the value of \"\(key)\"")
            }
        }
    }

    private mutating func array() throws(JSONSyntaxError) -> [JSONNode] {
        var elements: [JSONNode] = []
        index += 1
        skipSpace()
        if take("]") { return elements }
        while true {
            skipSpace()
            elements.append(try value())
            skipSpace()
            if take("]") { return elements }
            guard take(",") else { throw failure("a comma or ] should follow") }
        }
    }

    private mutating func word(
        _ word: String, _ value: JSONNode.Value
    ) throws(JSONSyntaxError) -> JSONNode.Value {
        guard bytes[index...].starts(with: word.utf8) else {
            throw failure("a value should begin here")
        }
        index += word.utf8.count
        return value
    }

    private mutating func number() throws(JSONSyntaxError) -> String {
        let start = index
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func digits() throws(JSONSyntaxError) {
        let start = index
        while let byte = current, byte >= 0x30, byte <= 0x39 { index += 1 }
        if index == start { throw failure("a digit should follow") }
    }

    // MARK: - Strings

    private mutating func string() throws(JSONSyntaxError) -> String {
        let start = index
        index += 1
        var content: [UInt8] = []
        while let byte = current {
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: content, as: UTF8.self)
            case UInt8(ascii: "\\"): content += try escape()
            case 0..<0x20:
                throw failure("a control character in a string; its end is missing?", at: start)
            default: content.append(byte)
            }
        }
        throw failure("the string that begins here has no end", at: start)
    }

    private mutating func escape() throws(JSONSyntaxError) -> [UInt8] {
        guard let byte = current else { throw failure("the text ends in a string") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return try unicode()
        default: throw failure("no escape sequence begins like this", at: index - 2)
        }
    }

    private mutating func unicode() throws(JSONSyntaxError) -> [UInt8] {
        let start = index - 2
        var units = [try hexadecimal()]
        if UTF16.isLeadSurrogate(units[0]), take("\\"), take("u") {
            units.append(try hexadecimal())
        }
        guard let text = String(validating: units, as: UTF16.self) else {
            throw failure("half of a surrogate pair", at: start)
        }
        return Array(text.utf8)
    }

    private mutating func hexadecimal() throws(JSONSyntaxError) -> UInt16 {
        let text = String(decoding: bytes[index...].prefix(4), as: UTF8.self)
        guard text.utf8.count == 4, text.allSatisfy(\.isHexDigit),
            let unit = UInt16(text, radix: 16)
        else { throw failure("four hexadecimal digits should follow") }
        index += 4
        return unit
    }

    // MARK: - Bytes

    private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard current == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = current, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { index += 1 }
    }

    private func failure(_ reason: String, at position: Int? = nil) -> JSONSyntaxError {
        JSONSyntaxError(place: JSONPlace(of: position ?? index, in: bytes), reason: reason)
    }
}
