// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// A client that keeps one HTTP/1.1 connection and shows what comes, byte for byte.
final class HTTPClient {
    struct Response {
        var status: String
        /// Names in lower case.
        var headers: [String: String]
        var body: [UInt8]
        var generation: Int32? { headers["x-generation"].flatMap { Int32($0) } }
    }

    private let socket: OwnedDescriptor
    private var buffer: [UInt8] = []

    init(port: UInt16) throws {
        socket = try Syscall.openSocket(family: .ipv4, type: .stream, nonBlocking: false)
        guard let address = SocketAddress(numericHost: "127.0.0.1", port: port) else {
            throw Errno.invalidArgument
        }
        try Syscall.connect(socket.rawValue, to: address)
    }

    func send(_ path: String) throws {
        try Syscall.writeAll(
            socket.rawValue, Array("GET \(path) HTTP/1.1\r\nHost: test\r\n\r\n".utf8))
    }

    func get(_ path: String) throws -> Response {
        try send(path)
        return try receive()
    }

    /// Reads a response that says how long it is.
    func receive() throws -> Response {
        let separator = Array("\r\n\r\n".utf8)
        while buffer.firstRange(of: separator) == nil { try readMore() }
        guard let end = buffer.firstRange(of: separator) else { throw Errno.invalidArgument }
        let head = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
        buffer.removeSubrange(..<end.upperBound)
        var lines = head.split(separator: "\r\n").map(String.init)
        let status = lines.removeFirst()
        var headers: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts[1].drop { $0 == " " }.lowercased()
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        while buffer.count < length { try readMore() }
        let body = Array(buffer.prefix(length))
        buffer.removeFirst(length)
        return Response(status: status, headers: headers, body: body)
    }

    /// True if the server closes within the time, without having sent anything more.
    func isClosed(within milliseconds: CInt) throws -> Bool {
        try socket.isAtEnd(within: milliseconds)
    }

    private func readMore() throws {
        guard
            try Syscall.poll(
                socket.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 20_000)
        else { throw ChildProcess.TimedOut(description: "no answer") }
        let bytes = try Syscall.read(socket.rawValue, count: 65_536)
        if bytes.isEmpty {
            throw ChildProcess.TimedOut(description: "closed after \(buffer.count) bytes")
        }
        buffer += bytes
    }
}
