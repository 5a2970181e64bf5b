// SPDX-License-Identifier: Apache-2.0

/// Finds where the requests of an HTTP/1.1 connection begin and end (RFC 9112 §6), whatever the
/// pieces in which their bytes come.
struct RequestScanner {
    private enum State {
        /// What has come of a head since its last line ended.
        case head(line: [UInt8])
        case body(remaining: Int)
        case chunkSize(line: [UInt8])
        case chunk(remaining: Int)
        /// Behind the last chunk; how long the line is.
        case trailers(length: Int)
        /// Another protocol, or nothing that could be understood: the server decides on its end.
        case opaque
    }

    private static let longestLine = 65_536

    /// How many requests have begun.
    private(set) var begun = 0
    /// How many have come to their end.
    private(set) var ended = 0
    private var state = State.head(line: [])
    private var length: Int?
    private var isChunked = false
    private var isUpgrade = false

    /// Whether no request has come in part.
    var isBetweenRequests: Bool { begun == ended && !isOpaque }

    /// Whether of the last request not even the head is whole.
    var isInHead: Bool {
        if case .head = state { begun > ended } else { false }
    }

    var isOpaque: Bool {
        if case .opaque = state { true } else { false }
    }

    /// Passes over bytes until the end of a request; returns how many there were.
    mutating func scanRequest(_ bytes: some RandomAccessCollection<UInt8>) -> Int {
        let goal = ended + 1
        var index = bytes.startIndex
        while index < bytes.endIndex, ended < goal {
            switch state {
            case .body(let remaining):
                let count = min(remaining, bytes.distance(from: index, to: bytes.endIndex))
                index = bytes.index(index, offsetBy: count)
                state = .body(remaining: remaining - count)
                if remaining == count { end() }
            case .chunk(let remaining):
                let count = min(remaining, bytes.distance(from: index, to: bytes.endIndex))
                index = bytes.index(index, offsetBy: count)
                state =
                    remaining == count ? .chunkSize(line: []) : .chunk(remaining: remaining - count)
            case .opaque: return bytes.count
            case .head, .chunkSize, .trailers:
                take(bytes[index])
                index = bytes.index(after: index)
            }
        }
        return bytes.distance(from: bytes.startIndex, to: index)
    }

    private mutating func take(_ byte: UInt8) {
        switch state {
        case .head(var line):
            if begun == ended { begin() }
            state = .opaque  // So that the line is not copied.
            guard line.count < Self.longestLine else { return }
            if byte == UInt8(ascii: "\n") { return endHeadLine(line) }
            line.append(byte)
            state = .head(line: line)
        case .chunkSize(var line):
            state = .opaque
            guard line.count < Self.longestLine else { return }
            if byte == UInt8(ascii: "\n") { return endChunkSize(line) }
            line.append(byte)
            state = .chunkSize(line: line)
        case .trailers(let length):
            if byte == UInt8(ascii: "\n") {
                if length == 0 { return end() }
                state = .trailers(length: 0)
            } else if byte != UInt8(ascii: "\r") {
                state = .trailers(length: length + 1)
            }
        case .body, .chunk, .opaque: break
        }
    }

    private mutating func begin() {
        begun += 1
        (length, isChunked, isUpgrade) = (nil, false, false)
    }

    private mutating func end() {
        ended += 1
        state = isUpgrade ? .opaque : .head(line: [])
    }

    private mutating func endHeadLine(_ line: [UInt8]) {
        let text = String(decoding: line, as: UTF8.self).lowercased()
        let parts = text.split(separator: ":", maxSplits: 1).map {
            String($0).trimmed
        }
        if text.trimmed.isEmpty { return endHead() }
        state = .head(line: [])
        guard parts.count == 2 else { return }
        switch parts[0] {
        case "content-length": length = Int(parts[1]) ?? -1
        case "transfer-encoding": isChunked = true
        case "upgrade": isUpgrade = true
        default: break
        }
    }

    private mutating func endHead() {
        switch (isChunked, length) {
        case (true, _): state = .chunkSize(line: [])
        case (false, let length?) where length > 0: state = .body(remaining: length)
        case (false, let length?) where length < 0: state = .opaque
        case (false, _): end()
        }
    }

    /// A chunk ends with an empty line, which is in front of the size of the next.
    private mutating func endChunkSize(_ line: [UInt8]) {
        let text = String(decoding: line, as: UTF8.self).prefix { $0 != ";" }
        let digits = String(text).trimmed
        if digits.isEmpty {
            state = .chunkSize(line: [])
        } else if let size = Int(digits, radix: 16), size >= 0 {
            state = size == 0 ? .trailers(length: 0) : .chunk(remaining: size)
        }
    }
}

extension String {
    /// Without white space at either end.
    fileprivate var trimmed: String {
        let isBlank = { (character: Character) in character.isWhitespace }
        guard let first = firstIndex(where: { !isBlank($0) }),
            let last = lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(self[first...last])
    }
}
