// SPDX-License-Identifier: Apache-2.0

/// A JSON value with its range in the text.
package struct JSONNode: Sendable, Hashable {
    package indirect enum Value: Sendable, Hashable {
        case null
        case bool(Bool)
        /// The text of the number.
        case number(String)
        case string(String)
        case array([JSONNode])
        /// In the order of the text; keys are unique.
        case object([Member])
    }

    package struct Member: Sendable, Hashable {
        package var key: String
        /// The index of the key's quotation mark, in bytes.
        package var keyStart: Int
        package var node: JSONNode
    }

    package var value: Value
    /// The range of the value, in bytes of the text.
    package var range: Range<Int>

    package subscript(key: String) -> JSONNode? {
        guard case .object(let members) = value else { return nil }
        return members.first { $0.key == key }?.node
    }

    package var members: [Member]? {
        if case .object(let members) = value { return members }
        return nil
    }

    package var string: String? {
        if case .string(let text) = value { return text }
        return nil
    }

    package var integer: Int? {
        if case .number(let text) = value { return Int(text) }
        return nil
    }

    package var elements: [JSONNode]? {
        if case .array(let elements) = value { return elements }
        return nil
    }

    /// The kind of the value for messages: `a number`.
    package var kind: String {
        switch value {
        case .null: "null"
        case .bool: "true or false"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// A place in a text.
///
/// Lines and columns begin with 1; columns count Unicode scalars.
package struct JSONPlace: Sendable, Hashable, CustomStringConvertible {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// The place of a byte of a text.
    init(of index: Int, in text: [UInt8]) {
        let before = text[..<index]
        let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        line = before.count { $0 == 0x0A } + 1
        column = String(decoding: before[start...], as: UTF8.self).unicodeScalars.count + 1
    }

    package var description: String { "\(line):\(column)" }
}

/// Why a text is not JSON, and where.
package struct JSONSyntaxError: Error, Sendable, Hashable {
    package var place: JSONPlace
    package var reason: String
}
