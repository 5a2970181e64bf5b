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
    }

    package static let maximumPacketSize = 65_536
    /// The kernel takes 253 in one packet, musl has been seen to take 252 (haproxy#1413).
    package static let maximumDescriptors = 252
    /// The largest state that travels in a message; the rest of the packet is for its lines.
    package static let maximumInlineState = 49_152

    package var kind: MessageKind
    package var fields: [Field] = []
    package var body: [UInt8] = []

    package init(_ kind: MessageKind) {
        self.kind = kind
    }

    /// The kind as it stands in the first line.
    package var kindName: String { kind.rawValue }

    /// Nil: a kind of a later version.
    package var knownKind: Kind? { Kind(rawValue: kindName) }
}

// MARK: - Reading

extension Message {
    /// The first value of a key; nil if it is absent.
    package func text(_ key: String) -> String? {
        fields.first { $0.key == key }.flatMap { Escaping.decode($0.rawValue) }
    }

    /// All values of a key that may repeat, in order.
    package func texts(_ key: String) -> [String] {
        rawValues(key).compactMap(Escaping.decode)
    }

    /// All values of a key as they stand in the packet.
    package func rawValues(_ key: String) -> [String] {
        fields.filter { $0.key == key }.map(\.rawValue)
    }

    /// The first value of a key as a decimal number; nil if it is absent or no number.
    ///
    /// For a key with a range see ``number(_:)``.
    package func integer(_ key: String) -> Int? {
        text(key).flatMap { WireNumber.parse($0) }
    }

    /// All values of a key as lists of fields; an empty value is an empty list.
    package func fieldLists(_ key: String) -> [[String]] {
        rawValues(key).map { value in
            guard !value.isEmpty else { return [] }
            // By bytes: a space before a combining character is no `Character` of its own.
            return value.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
                .compactMap { Escaping.decode(String(decoding: $0, as: UTF8.self)) }
        }
    }
}

// MARK: - Writing

extension Message {
    package mutating func add(_ key: String, _ value: String) {
        fields.append(Field(key: key, rawValue: Escaping.encode(value, escapingSpace: false)))
    }

    package mutating func add(_ key: String, _ value: Int) {
        fields.append(Field(key: key, rawValue: String(value)))
    }

    /// Adds a list of fields, separated by spaces; a space inside a field is escaped.
    package mutating func addFields(_ key: String, _ values: [String]) {
        let encoded = values.map { Escaping.encode($0, escapingSpace: true) }
        fields.append(Field(key: key, rawValue: encoded.joined(separator: " ")))
    }
}
