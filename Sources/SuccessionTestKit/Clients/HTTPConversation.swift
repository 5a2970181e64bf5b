// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// Requests of HTTP/1.1 on one connection, one at a time.
final class HTTPConversation: ClientConversation {
    private let stream: ClientStream
    private let request: [UInt8]
    private let timeout: Duration
    private var answered = 0

    private(set) var isOver = false

    init(
        connectingTo address: SocketAddress, path: String, timeout: Duration
    ) throws(ClientFailure) {
        let host =
            switch address {
            case .ipv4, .ipv6: "\(address)"
            default: "localhost"
            }
        request = Array("GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\r\n".utf8)
        self.timeout = timeout
        stream = try ClientStream(connectingTo: address, timeout: timeout)
    }

    func exchange() throws(ClientFailure) {
        stream.begin(timeout: timeout)
        do throws(ClientFailure) {
            try stream.send(request)
            guard try stream.fill() else {
                throw ClientFailure(.truncated, "end-of-file before the response")
            }
        } catch {
            throw error.onConnection(used: answered)
        }
        var head = try readHead()
        while 100..<200 ~= head.status { head = try readHead() }
        guard 200..<300 ~= head.status else {
            throw ClientFailure(.wrongAnswer, "status \(head.status)")
        }
        try skipBody(head)
        guard !stream.hasUnread else {
            throw ClientFailure(.wrongAnswer, "bytes after the response")
        }
        isOver = head.closes
        answered += 1
    }

    private func readHead() throws(ClientFailure) -> ResponseHead {
        var head = try ResponseHead(statusLine: try line())
        while true {
            let field = try line()
            if field.isEmpty { return head }
            try head.add(field)
        }
    }

    private func skipBody(_ head: ResponseHead) throws(ClientFailure) {
        switch (head.length, head.isChunked) {
        case _ where head.status == 204: return
        case (let length?, false): try stream.skip(length)
        case (nil, true): try skipChunks()
        case (_?, true):
            throw ClientFailure(.wrongAnswer, "both Content-Length and Transfer-Encoding")
        case (nil, false):
            // Its end could not be told from a connection that is lost.
            throw ClientFailure(.wrongAnswer, "neither Content-Length nor Transfer-Encoding")
        }
    }

    private func skipChunks() throws(ClientFailure) {
        while true {
            let text = try line()
            let digits = text.prefix { $0 != ";" }.filter { $0 != " " }
            guard !digits.hasPrefix("+"), let size = Int(digits, radix: 16), size >= 0 else {
                throw ClientFailure(.wrongAnswer, "chunk size '\(text)'")
            }
            if size == 0 { break }
            try stream.skip(size)
            guard try line().isEmpty else {
                throw ClientFailure(.wrongAnswer, "a chunk longer than its size")
            }
        }
        // Trailers.
        while try !line().isEmpty {}
    }

    private func line() throws(ClientFailure) -> String {
        let line = try stream.readLine()
        // A string, in which CR LF would be one character: the LF is gone already.
        guard line.hasSuffix("\r") else {
            throw ClientFailure(.wrongAnswer, "a line that does not end in CRLF")
        }
        return String(line.dropLast())
    }
}

/// The fields of a response that say how long it is, each allowed once.
private struct ResponseHead {
    let status: Int
    private(set) var length: Int?
    private(set) var isChunked = false
    private(set) var closes = false

    init(statusLine: String) throws(ClientFailure) {
        let words = statusLine.split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0] == "HTTP/1.1", words[1].count == 3,
            let status = Int(words[1]), status >= 100
        else { throw ClientFailure(.wrongAnswer, "status line '\(statusLine)'") }
        self.status = status
    }

    mutating func add(_ field: String) throws(ClientFailure) {
        guard let colon = field.firstIndex(of: ":"), colon > field.startIndex else {
            throw ClientFailure(.wrongAnswer, "header line '\(field)'")
        }
        let value = field[field.index(after: colon)...].drop { $0 == " " }
        switch field[..<colon].lowercased() {
        case "content-length":
            guard length == nil, !value.hasPrefix("+"), let number = Int(value), number >= 0 else {
                throw ClientFailure(.wrongAnswer, "header line '\(field)'")
            }
            length = number
        case "transfer-encoding":
            guard !isChunked, value.lowercased() == "chunked" else {
                throw ClientFailure(.wrongAnswer, "header line '\(field)'")
            }
            isChunked = true
        case "connection":
            closes = closes || value.lowercased() == "close"
        default: break
        }
    }
}
