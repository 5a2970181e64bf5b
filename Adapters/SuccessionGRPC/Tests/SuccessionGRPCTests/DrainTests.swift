// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Succession
import SuccessionGRPC
import Testing

/// The frames by which gRPC's server ends a connection, seen from a client that writes them itself.
@Suite(.serialized, .timeLimit(.minutes(1))) struct DrainTests {
    /// Serves no method: each call is answered with `unimplemented`.
    private func withServer(
        deadline: Duration,
        _ body: (RawClient, _ drain: @Sendable () async -> Void) async throws -> Void
    ) async throws {
        let directory = NSTemporaryDirectory() + "succession-grpc-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var configuration = GenerationConfiguration()
        configuration.runtimeDirectory = directory
        configuration.signals = [:]
        configuration.exitGrace = nil
        configuration.onEvent = { _ in }
        let generation = try await Generation.begin("inside", configuration: configuration)
        let listener = try generation.listener("grpc", orBind: ListenAddress("tcp:127.0.0.1:0"))
        let transport = HTTP2ServerTransport.Adopted(listener, of: generation)
        let server = GRPCServer(transport: transport, services: [])
        let serving = Task { try await server.serve() }
        try await transport.listening()
        try await generation.ready()
        let port = "\(listener.address)".split(separator: ":").last.flatMap { UInt16($0) }
        let client = try RawClient(port: try #require(port))
        try client.begin()
        try await body(client) { await generation.drain(deadline: deadline) }
        // Returns when the last connection is closed.
        try await serving.value
        await generation.drained()
    }

    /// swift-nio-http2#466: a call that crosses with the first GOAWAY.
    @Test func call_whenItCrossesWithTheAnnouncement_isAnswered() async throws {
        try await withServer(deadline: .seconds(20)) { client, drain in
            await drain()
            #expect(try client.next(.goAway).payload == [0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
            let ping = try client.next(.ping)
            try client.call(stream: 1)
            #expect(try client.next(.headers).stream == 1)
            try client.acknowledge(ping)
            #expect(try client.next(.goAway).payload == [0, 0, 0, 1, 0, 0, 0, 0])
            #expect(try client.isAtEnd())
        }
    }

    @Test func client_thatNeverAcknowledges_isToldItsLastStreamAndClosed() async throws {
        try await withServer(deadline: .seconds(2)) { client, drain in
            try client.call(stream: 1)
            #expect(try client.next(.headers).stream == 1)
            await drain()
            #expect(try client.next(.goAway).payload == [0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
            #expect(try client.next(.goAway).payload == [0, 0, 0, 1, 0, 0, 0, 0])
            #expect(try client.isAtEnd())
        }
    }
}

/// Blocks, and waits for nothing longer than ten seconds.
private struct RawClient {
    enum Kind: UInt8 {
        case headers = 1
        case settings = 4
        case ping = 6
        case goAway = 7
    }

    struct Frame {
        var kind: UInt8
        var flags: UInt8
        var stream: Int
        var payload: [UInt8]
    }

    struct Failure: Error {
        let description: String
    }

    private let socket: Socket

    init(port: UInt16) throws { socket = try Socket(port: port) }

    /// The client's preface and settings.
    func begin() throws {
        try socket.write(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8))
        try write(.settings, stream: 0, [])
        _ = try next(.settings)
    }

    /// A whole request: RFC 7541 §6, POST http /x with content-type and te.
    func call(stream: UInt8) throws {
        func literal(_ name: String, _ value: String) -> [UInt8] {
            [0, UInt8(name.utf8.count)] + name.utf8 + [UInt8(value.utf8.count)] + value.utf8
        }
        try write(
            .headers, flags: 5, stream: stream,
            [0x83, 0x86] + literal(":path", "/a/b") + literal(":authority", "x")
                + literal("content-type", "application/grpc") + literal("te", "trailers"))
    }

    func acknowledge(_ ping: Frame) throws { try write(.ping, flags: 1, stream: 0, ping.payload) }

    /// The next frame of a kind; others are passed over.
    func next(_ kind: Kind) throws -> Frame {
        while true {
            let frame = try read()
            // The server's acknowledgement of our settings is no settings.
            if frame.kind == kind.rawValue, kind != .settings || frame.flags == 0 { return frame }
        }
    }

    func isAtEnd() throws -> Bool { try socket.read(1).isEmpty }

    private func write(
        _ kind: Kind, flags: UInt8 = 0, stream: UInt8, _ payload: [UInt8]
    ) throws {
        try socket.write(
            [0, 0, UInt8(payload.count), kind.rawValue, flags, 0, 0, 0, stream] + payload)
    }

    private func read() throws -> Frame {
        let head = try socket.read(9)
        guard head.count == 9 else { throw Failure(description: "the server has closed") }
        let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
        return Frame(
            kind: head[3], flags: head[4], stream: Int(head[8]), payload: try socket.read(length))
    }
}

private final class Socket: Sendable {
    private let descriptor: Int32

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw RawClient.Failure(description: "connect: \(errno)") }
    }

    deinit { close(descriptor) }

    func write(_ bytes: [UInt8]) throws {
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw RawClient.Failure(description: "send: \(errno)")
        }
    }

    /// So many bytes, fewer at the end.
    func read(_ count: Int) throws -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            var part = [UInt8](repeating: 0, count: count - all.count)
            let size = recv(descriptor, &part, part.count, 0)
            if size < 0 { throw RawClient.Failure(description: "recv: \(errno)") }
            if size == 0 { break }
            all += part.prefix(size)
        }
        return all
    }
}
