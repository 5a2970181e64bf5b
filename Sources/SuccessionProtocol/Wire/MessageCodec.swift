// SPDX-License-Identifier: Apache-2.0

/// Why bytes are not a message.
package enum MessageError: Error, Sendable, Hashable, CustomStringConvertible {
    case malformed(String)
    case unsupportedVersion(Int)

    package var description: String {
        switch self {
        case .malformed(let reason): "not a message: \(reason)"
        case .unsupportedVersion(let version):
            "the peer speaks version \(version) of the protocol, this side \(ProtocolVersion.major)"
        }
    }
}

// MARK: - Encoding

extension Message {
    /// The packet.
    ///
    /// It may be longer than ``maximumPacketSize``; the kernel then refuses to send it.
    package func encoded() -> [UInt8] {
        var packet = [UInt8]("SUCCESSION/\(ProtocolVersion.major) \(kindName)\n".utf8)
        for field in fields {
            packet += field.key.utf8
            packet.append(UInt8(ascii: "="))
            packet += field.rawValue.utf8
            packet.append(Self.newline)
        }
        if !body.isEmpty {
            packet.append(Self.newline)
            packet += body
        }
        return packet
    }

    private static var newline: UInt8 { UInt8(ascii: "\n") }
}

// MARK: - Decoding

extension Message {
    /// Reads a packet; any bytes at all give a message or an error.
    ///
    /// A packet of another major version gives `unsupportedVersion`, whatever follows its first
    /// words.
    package static func decode(_ packet: [UInt8]) throws(MessageError) -> Message {
        guard !packet.isEmpty else { throw .malformed("an empty packet") }
        guard packet.count <= maximumPacketSize else {
            throw .malformed("\(packet.count) bytes, at most \(maximumPacketSize) are allowed")
        }
        var rest = packet[...]
        let kindName = try kindName(ofFirstLine: rest.prefix { $0 != newline })
        _ = try nextLine(&rest)
        var message = Message(kindName: kindName)
        while !rest.isEmpty {
            let line = try nextLine(&rest)
            if line.isEmpty {
                message.body = Array(rest)
                break
            }
            message.fields.append(try field(line))
        }
        return message
    }

    private static func nextLine(
        _ rest: inout ArraySlice<UInt8>
    ) throws(MessageError) -> ArraySlice<UInt8> {
        guard let end = rest.firstIndex(of: newline) else {
            throw .malformed("a line without its end")
        }
        defer { rest = rest[(end + 1)...] }
        return rest[..<end]
    }

    private static func kindName(
        ofFirstLine line: ArraySlice<UInt8>
    ) throws(MessageError) -> String {
        let prefix = "SUCCESSION/".utf8
        guard line.starts(with: prefix) else {
            throw .malformed("it does not begin with SUCCESSION/")
        }
        let words = line.dropFirst(prefix.count)
            .split(separator: UInt8(ascii: " "), maxSplits: 1, omittingEmptySubsequences: false)
        guard let number = words.first, let version = version(number) else {
            throw .malformed("the version is no number")
        }
        guard version == ProtocolVersion.major else { throw .unsupportedVersion(version) }
        guard words.count == 2, !words[1].isEmpty, words[1].allSatisfy(isKindByte) else {
            throw .malformed("the first line names no kind")
        }
        return String(decoding: words[1], as: UTF8.self)
    }

    private static func version(_ digits: ArraySlice<UInt8>) -> Int? {
        guard let first = digits.first, first != UInt8(ascii: "0")
        else { return nil }
        return WireNumber.parse(String(decoding: digits, as: UTF8.self))
    }

    private static func field(_ line: ArraySlice<UInt8>) throws(MessageError) -> Field {
        guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else {
            throw .malformed("a line that is not KEY=VALUE")
        }
        let key = line[..<equals]
        guard let first = key.first, isUpperCase(first), key.allSatisfy(isKeyByte) else {
            throw .malformed("a key that is not of A-Z, 0-9 and _")
        }
        let name = String(decoding: key, as: UTF8.self)
        let value = line[(equals + 1)...]
        guard !value.contains(where: Escaping.isControl) else {
            throw .malformed("a control character in the value of \(name.prefix(40))")
        }
        guard let raw = String(validating: value, as: UTF8.self), Escaping.decode(raw) != nil else {
            throw .malformed("a bad escape, or no UTF-8, in the value of \(name.prefix(40))")
        }
        return Field(key: name, rawValue: raw)
    }

    private static func isUpperCase(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
    }

    private static func isKeyByte(_ byte: UInt8) -> Bool {
        isUpperCase(byte) || byte == UInt8(ascii: "_")
            || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
    }

    private static func isKindByte(_ byte: UInt8) -> Bool {
        (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")) || byte == UInt8(ascii: "-")
    }
}
