// SPDX-License-Identifier: Apache-2.0

/// One response of HTTP/1.1, read as strictly as the grammar allows.
struct HTTPResponse {
    /// The generation that answered, from `X-Generation`.
    let generation: Int32
    let bodyLength: Int
    /// The server said `Connection: close`.
    let closes: Bool

    /// Reads head and body; anything but a complete, well-formed 200 is a failure.
    init(readingFrom stream: ByteStream, deadline: MonotonicTime) throws(Failure) {
        let status = try Self.readLine(from: stream, deadline: deadline)
        guard status.hasPrefix("HTTP/1.1 200 ") else {
            throw Failure(.wrong, "status line \"\(status)\"")
        }
        var head = Head()
        while true {
            let line = try Self.readLine(from: stream, deadline: deadline)
            if line.isEmpty { break }
            try head.add(line)
        }
        guard let pid = head.generation else { throw Failure(.wrong, "no X-Generation") }
        generation = pid
        closes = head.closes
        switch (head.length, head.isChunked) {
        case (let length?, false):
            try stream.skip(length, deadline: deadline)
            bodyLength = length
        case (nil, true):
            bodyLength = try Self.skipChunks(of: stream, deadline: deadline)
        case (_?, true):
            throw Failure(.wrong, "both Content-Length and Transfer-Encoding")
        case (nil, false):
            throw Failure(.wrong, "neither Content-Length nor Transfer-Encoding")
        }
    }

    private static func readLine(
        from stream: ByteStream, deadline: MonotonicTime
    ) throws(Failure) -> String {
        var line = try stream.readLine(deadline: deadline)
        guard line.popLast() == UInt8(ascii: "\r"), !line.contains(UInt8(ascii: "\r")) else {
            throw Failure(.wrong, "a line that does not end in CRLF")
        }
        return String(decoding: line, as: UTF8.self)
    }

    private static func skipChunks(
        of stream: ByteStream, deadline: MonotonicTime
    ) throws(Failure) -> Int {
        var total = 0
        while true {
            let line = try readLine(from: stream, deadline: deadline)
            guard !line.hasPrefix("+"), let size = Int(line, radix: 16), size >= 0 else {
                throw Failure(.wrong, "chunk size \"\(line)\"")
            }
            try stream.skip(size, deadline: deadline)
            let terminator = try readLine(from: stream, deadline: deadline)
            guard terminator.isEmpty else { throw Failure(.wrong, "a chunk longer than its size") }
            if size == 0 { return total }
            total += size
        }
    }
}

/// The header fields that matter to the client, each allowed once.
private struct Head {
    var generation: Int32?
    var length: Int?
    var isChunked = false
    var closes = false

    mutating func add(_ line: String) throws(Failure) {
        guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex
        else { throw Failure(.wrong, "header line \"\(line)\"") }
        let name = line[..<colon].lowercased()
        let value = line[line.index(after: colon)...].drop { $0 == " " }
        switch name {
        case "content-length":
            guard length == nil, !value.hasPrefix("+"), let number = Int(value), number >= 0
            else {
                throw Failure(.wrong, "Content-Length \"\(value)\"")
            }
            length = number
        case "transfer-encoding":
            guard !isChunked, value.lowercased() == "chunked" else {
                throw Failure(.wrong, "Transfer-Encoding \"\(value)\"")
            }
            isChunked = true
        case "connection":
            closes = closes || value.lowercased() == "close"
        case "x-generation":
            guard generation == nil, let pid = Int32(value), pid > 0 else {
                throw Failure(.wrong, "X-Generation \"\(value)\"")
            }
            generation = pid
        default:
            break
        }
    }
}
