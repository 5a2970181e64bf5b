// SPDX-License-Identifier: Apache-2.0

/// Why a message is not what its kind says.
package enum WireError: Error, Sendable, Hashable, CustomStringConvertible {
    case otherKind(String, expected: Message.Kind)
    case descriptorCount
    case missing(key: String, of: Message.Kind)
    case outOfRange(key: String, ClosedRange<Int>, of: Message.Kind)
    /// The sentence names the key.
    case invalid(key: String, of: Message.Kind, sentence: String)

    /// The key that is wrong; nil: it is the kind.
    package var key: String? {
        switch self {
        case .otherKind: nil
        case .descriptorCount: NumericKey.descriptors.name
        case .missing(let key, _), .outOfRange(let key, _, _), .invalid(let key, _, _): key
        }
    }

    package var description: String {
        switch self {
        case .otherKind(let kind, let expected):
            "'\(kind)' where '\(expected.rawValue)' belongs"
        case .descriptorCount: "\(NumericKey.descriptors.name)= is no number of descriptors"
        case .missing(let key, let kind): "'\(kind.rawValue)' without \(key)="
        case .outOfRange(let key, let range, let kind):
            "\(key)= of '\(kind.rawValue)' is no number from \(range.lowerBound) to \(range.upperBound)"
        case .invalid(_, _, let sentence): sentence
        }
    }

    /// What the other side is told.
    package var failure: Failure { Failure(code: .malformed, reason: description) }
}

// MARK: - Checked keys

extension Message {
    /// How many descriptors ride on the packet, as the message says.
    package func announcedDescriptors() throws(WireError) -> Int {
        guard isAbsentOrValid(.descriptors) else { throw .descriptorCount }
        return number(.descriptors) ?? 0
    }

    /// The number of a key; throws if it is absent or outside of its range.
    func required(_ key: NumericKey, of kind: Kind) throws(WireError) -> Int {
        guard let number = try optional(key, of: kind) else {
            throw .missing(key: key.name, of: kind)
        }
        return number
    }

    /// The number of a key, nil if it is absent; throws if it is outside of its range.
    func optional(_ key: NumericKey, of kind: Kind) throws(WireError) -> Int? {
        guard isAbsentOrValid(key) else {
            throw .outOfRange(key: key.name, key.range, of: kind)
        }
        return number(key)
    }

    /// As ``optional(_:of:)``, for a length of time.
    func optionalDuration(_ key: NumericKey, of kind: Kind) throws(WireError) -> Duration? {
        _ = try optional(key, of: kind)
        return duration(key)
    }
}
