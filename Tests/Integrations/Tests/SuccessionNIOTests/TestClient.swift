// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A blocking client that waits for nothing longer than ten seconds.
final class TestClient: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let descriptor: Int32

    init(path: String) throws {
        descriptor = Self.socket(AF_UNIX)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw Failure(description: "cannot connect: errno \(errno)") }
    }

    private static func socket(
        _ family: Int32, _ kind: __socket_type = SOCK_STREAM
    ) -> Int32 {
        let descriptor = Foundation.socket(family, Int32(kind.rawValue), 0)
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(
                descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        return descriptor
    }

    /// Connects to a port of the loopback interface; with `SOCK_DGRAM` each write is a datagram.
    init(port: UInt16, kind: __socket_type = SOCK_STREAM) throws {
        descriptor = Self.socket(AF_INET, kind)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure(description: "cannot connect: errno \(errno)") }
    }

    deinit { close(descriptor) }

    func write(_ bytes: [UInt8]) throws {
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
        else { throw Failure(description: "cannot write: errno \(errno)") }
    }

    /// Exactly so many bytes; fails at end-of-file.
    func read(_ count: Int) throws -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            let more = try readSome(count - all.count)
            if more.isEmpty { throw Failure(description: "end of file after \(all.count) bytes") }
            all += more
        }
        return all
    }

    /// At most so many bytes; none at end-of-file.
    func readUntilEnd(_ count: Int) throws -> [UInt8] {
        try readSome(count)
    }

    /// The other end reads an end, and this one goes on reading.
    func shutDownWriting() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// As clients do when they have read the end.
    func end() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Whether the server says nothing more and closes; what it says is in the error.
    ///
    /// Then this end is closed too, as clients do.
    func expectEnd() throws {
        let rest = try readSome(1_000)
        if !rest.isEmpty { throw Failure(description: "no end but \(rest)") }
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Whether nothing at all has come when `milliseconds` have passed.
    func isSilent(for milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) == 0
    }

    private func readSome(_ count: Int) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let got = recv(descriptor, &buffer, count, 0)
        guard got >= 0 else { throw Failure(description: "cannot read: errno \(errno)") }
        return Array(buffer.prefix(got))
    }
}
