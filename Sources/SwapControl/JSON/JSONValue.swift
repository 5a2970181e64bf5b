// SPDX-License-Identifier: Apache-2.0

/// A JSON value without floating-point numbers.
///
/// The output for programs is built from these values, not derived from types: renaming a property does not change
/// it, and what is not known is `null` instead of absent. docs/schema describes it.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    package static func optional(_ integer: Int?) -> JSONValue {
        integer.map { .integer($0) } ?? .null
    }

    package static func optional(_ string: String?) -> JSONValue {
        string.map { .string($0) } ?? .null
    }
}

extension JSONValue: Encodable {
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let values): try container.encode(values)
        case .object(let fields): try container.encode(fields)
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral {
    package init(stringLiteral value: String) { self = .string(value) }

    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements) { $1 })
    }
}
