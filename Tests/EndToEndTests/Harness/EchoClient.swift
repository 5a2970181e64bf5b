// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// A blocking client of the fixture server.
final class EchoClient {
    private let socket: OwnedDescriptor
    /// Pid of the generation that took the connection.
    private(set) var server: Int32 = 0

    /// Connects without waiting to be served: the connection may lie in the queue.
    init(port: UInt16) throws {
        socket = try Syscall.openSocket(family: .ipv4, type: .stream, nonBlocking: false)
        guard let address = SocketAddress(numericHost: "127.0.0.1", port: port) else { return }
        try Syscall.connect(socket.rawValue, to: address)
    }

    /// Reads the greeting.
    func greet(within milliseconds: CInt = 10_000) throws -> Int32 {
        let line = try readLine(within: milliseconds)
        server = Int32(line.dropFirst(4)) ?? -1
        return server
    }

    func exchange(_ text: String) throws -> String {
        try Syscall.writeAll(socket.rawValue, Array((text + "\n").utf8))
        return try readLine(within: 10_000)
    }

    /// Has the server close, which echoes what it has read before.
    func closeForWriting() throws { Syscall.shutdown(socket.rawValue, .sending) }

    /// True if the other side closes within the time.
    func isClosed(within milliseconds: CInt) throws -> Bool {
        try socket.isAtEnd(within: milliseconds)
    }

    private func readLine(within milliseconds: CInt) throws -> String {
        var line: [UInt8] = []
        while true {
            guard
                try Syscall.poll(
                    socket.rawValue, events: Syscall.pollIn, timeoutMilliseconds: milliseconds)
            else { throw ChildProcess.TimedOut(description: "no line from the server") }
            let byte = try Syscall.read(socket.rawValue, count: 1)
            guard let byte = byte.first else {
                throw ChildProcess.TimedOut(
                    description: "connection closed after \(line.count) bytes")
            }
            if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
    }
}
