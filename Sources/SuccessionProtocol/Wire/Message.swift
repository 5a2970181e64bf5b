// SPDX-License-Identifier: Apache-2.0

/// One packet of the protocol, without the descriptors that ride on it (docs/protocol.md §1).
package struct Message: Sendable, Hashable {
    /// One line `KEY=VALUE`.
    package struct Field: Sendable, Hashable {
        package var key: String
        /// The value as it stands in the packet, escaped.
        package var rawValue: String

        package init(key: String, rawValue: String) {
            self.key = key
            self.rawValue = rawValue
        }

        package init(key: String, text: String) {
            self.init(key: key, rawValue: Escaping.encode(text, escapingSpace: false))
        }

        /// A list of fields, separated by spaces; a space inside a field is escaped.
        package init(key: String, list: [String]) {
            let encoded = list.map { Escaping.encode($0, escapingSpace: true) }
            self.init(key: key, rawValue: encoded.joined(separator: " "))
        }

        /// The value; nil: it holds a bad escape, or escapes of no UTF-8.
        package var text: String? { Escaping.decode(rawValue) }

        /// The value as a list of fields; an empty one is an empty list.
        package var list: [String] {
            guard !rawValue.isEmpty else { return [] }
            // By bytes: a space before a combining character is no `Character` of its own.
            return rawValue.utf8.split(
                separator: UInt8(ascii: " "), omittingEmptySubsequences: false
            ).compactMap { Escaping.decode(String(decoding: $0, as: UTF8.self)) }
        }
    }

    package static let maximumPacketSize = 65_536
    /// The kernel takes 253 in one packet, musl has been seen to take 252 (haproxy#1413).
    package static let maximumDescriptors = 252
    /// The largest state that travels in a message; the rest of the packet is for its lines.
    package static let maximumInlineState = 49_152

    /// The kind as it stands in the first line.
    package let kindName: String
    package var fields: [Field] = []
    package var body: [UInt8] = []

    package init(_ kind: Kind) {
        kindName = kind.rawValue
    }

    /// A message of a kind that only a later version may know.
    init(kindName: String) {
        self.kindName = kindName
    }

    /// Nil: a kind of a later version.
    package var kind: Kind? { Kind(rawValue: kindName) }
}

// MARK: - Keys by name

// For the types in Wire/, which alone know the names of keys.

extension Message {
    /// The first value of a key; nil if it is absent.
    func text(_ key: String) -> String? {
        fields.first { $0.key == key }?.text
    }

    /// All values of a key that may repeat, in order.
    func texts(_ key: String) -> [String] {
        fields.filter { $0.key == key }.compactMap(\.text)
    }

    /// All values of a key as lists of fields.
    func fieldLists(_ key: String) -> [[String]] {
        fields.filter { $0.key == key }.map(\.list)
    }

    mutating func add(_ key: String, _ value: String) {
        fields.append(Field(key: key, text: value))
    }

    mutating func add(_ key: String, _ value: Int) {
        fields.append(Field(key: key, rawValue: String(value)))
    }

    mutating func addFields(_ key: String, _ values: [String]) {
        fields.append(Field(key: key, list: values))
    }
}
