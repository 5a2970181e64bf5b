// SPDX-License-Identifier: Apache-2.0

import Glibc
import SuccessionSystem
import SystemPackage
import Testing

private let loopback = SocketAddress.ipv4(0x7F00_0001, port: 0)
private let loopback6 = SocketAddress.ipv6(
    bytes: [UInt8](repeating: 0, count: 15) + [1], port: 0, scope: 0)

extension SystemTests {
    @Suite struct SocketAddressTests {
        private func throughKernel(_ address: SocketAddress) throws -> SocketAddress {
            try address.withSockaddr { (pointer, length) throws(Errno) in
                var storage = sockaddr_storage()
                memcpy(&storage, pointer, Int(length))
                return SocketAddress(storage, length: length)
            }
        }

        @Test(arguments: [
            ("127.0.0.1", "127.0.0.1:80"), ("0.0.0.0", "0.0.0.0:80"), ("::1", "[::1]:80"),
            ("::", "[::]:80"), ("2001:db8:0:0::1", "[2001:db8::1]:80"),
            ("fe80::1%7", "[fe80::1%7]:80"), ("::ffff:1.2.3.4", "[::ffff:1.2.3.4]:80"),
        ])
        func numericHost_whenValid_roundTrips(host: String, description: String) throws {
            let address = try #require(SocketAddress(numericHost: host, port: 80))
            #expect("\(address)" == description)
            #expect(try throughKernel(address) == address)
            let text = try #require(address.hostText)
            #expect(SocketAddress(numericHost: text, port: 80) == address)
        }

        @Test func numericHost_whenScopeIsAName_isItsNumber() {
            #expect(
                SocketAddress(numericHost: "fe80::1%lo", port: 1)
                    == SocketAddress(numericHost: "fe80::1%\(if_nametoindex("lo"))", port: 1))
        }

        @Test(arguments: [
            "", "localhost", "1.2.3", "1.2.3.4.5", "[::1]", "::1%", "::1%nosuchinterface",
            "1.2.3.4%1",
            "256.0.0.1", "127.0.0.1 ", "1:2",
        ])
        func numericHost_whenInvalid_isNil(host: String) {
            #expect(SocketAddress(numericHost: host, port: 80) == nil)
        }

        private static let longestPath = "/" + String(repeating: "x", count: 106)

        @Test(arguments: [
            (SocketAddress.unixPath("/run/a.sock"), "/run/a.sock"),
            (.unixPath(longestPath), longestPath), (.unixAbstract("name"), "@name"),
            (.vsock(cid: 2, port: 99), "vsock:2:99"),
        ])
        func others_roundTrip(address: SocketAddress, description: String) throws {
            #expect(try throughKernel(address) == address)
            #expect("\(address)" == description)
            #expect(address.hostText == nil)
        }

        @Test func unixPath_whenTooLong_throwsFileNameTooLong() throws {
            let path = "/" + String(repeating: "x", count: SocketAddress.maximumPathLength)
            #expect(throws: Errno.fileNameTooLong) { try throughKernel(.unixPath(path)) }
            #expect(throws: Errno.fileNameTooLong) {
                try throughKernel(.unixAbstract(String(repeating: "x", count: 108)))
            }
        }

        @Test(arguments: [
            SocketAddress.unixUnnamed, .other(family: 16), .unixPath(""), .unixPath("/a\0b"),
            .ipv6(bytes: [1], port: 1, scope: 0),
        ])
        func withSockaddr_whenNothingCanBeBound_throws(address: SocketAddress) {
            #expect(throws: Errno.invalidArgument) { try throughKernel(address) }
        }
    }
}

extension SystemTests {
    @Suite struct SocketFactsTests {
        @Test(arguments: [(loopback, 7), (loopback6, 4_000)])
        func of_whenTCPListens_tellsTheBacklog(address: SocketAddress, backlog: Int) throws {
            let socket = try Syscall.openSocket(
                family: address.socketFamily, type: .stream, nonBlocking: true)
            try Syscall.bind(socket.rawValue, to: address)
            #expect(try SocketFacts.of(socket.rawValue).backlog == nil)
            try Syscall.listen(socket.rawValue, backlog: CInt(backlog))
            let facts = try SocketFacts.of(socket.rawValue)
            #expect(facts.domain == address.family && facts.type == .stream)
            #expect(facts.isListening && facts.hasPort)
            #expect(facts.address.hostText == address.hostText)
            #expect(facts.backlog == min(backlog, Syscall.maximumBacklog()))
            let duplicate = try socket.duplicate()
            #expect(try SocketFacts.of(duplicate.rawValue) == facts)
            #expect(facts.cookie != nil)
        }

        @Test(arguments: [true, false])
        func of_whenIPv6_tellsWhetherItTakesIPv4(isOnly: Bool) throws {
            let socket = try Syscall.openSocket(family: .ipv6, type: .stream, nonBlocking: true)
            try Syscall.setIPv6Only(socket.rawValue, isOnly)
            #expect(try SocketFacts.of(socket.rawValue).isIPv6Only == isOnly)
        }

        @Test(arguments: [SocketType.stream, .sequencedPacket])
        func of_whenUnixListens_tellsTheBacklog(type: SocketType) throws {
            let directory = try TemporaryDirectory()
            let address = SocketAddress.unixPath(directory.path + "/a.sock")
            let socket = try Syscall.openSocket(family: .unix, type: type, nonBlocking: true)
            try Syscall.setMode(socket.rawValue, 0o600)
            try Syscall.bind(socket.rawValue, to: address)
            let file = try Syscall.linkStatus(directory.path + "/a.sock")
            #expect(file.isSocket && file.mode == 0o600)
            try Syscall.listen(socket.rawValue, backlog: 17)
            let facts = try SocketFacts.of(socket.rawValue)
            #expect(facts.address == address && facts.type == type && facts.isListening)
            // By netlink, which may be forbidden.
            if let backlog = facts.backlog { #expect(backlog == 17) }
        }

        @Test func of_whenUDP_isNotListening() throws {
            let socket = try Syscall.openSocket(family: .ipv4, type: .datagram, nonBlocking: true)
            #expect(try SocketFacts.of(socket.rawValue).address == .ipv4(0, port: 0))
            try Syscall.bind(socket.rawValue, to: loopback)
            let facts = try SocketFacts.of(socket.rawValue)
            #expect(facts.type == .datagram && !facts.isListening && facts.backlog == nil)
            #expect(facts.hasPort)
        }

        @Test func of_whenUnbound_hasNoAddress() throws {
            let (one, other) = try Syscall.socketPair(type: .stream, nonBlocking: false)
            let facts = try SocketFacts.of(one.rawValue)
            #expect(facts.address == .unixUnnamed && facts.domain == AF_UNIX && !facts.isListening)
            #expect(try Syscall.peerAddress(one.rawValue) == .unixUnnamed)
            #expect(try SocketFacts.of(other.rawValue).cookie != facts.cookie)
        }

        @Test func of_whenThereIsNoSocket_throws() throws {
            let file = try MemoryFile.create(name: "file", allowSealing: false)
            #expect(throws: Errno.notSocket) { try SocketFacts.of(file.rawValue) }
            #expect(throws: Errno.badFileDescriptor) { try SocketFacts.of(-1) }
            let path = try Syscall.open("/", .pathOnlyDirectory)
            #expect(throws: Errno.badFileDescriptor) { try SocketFacts.of(path.rawValue) }
        }
    }
}

extension SystemTests {
    @Suite struct ConnectionTests {
        @Test func accept_whenConnectionWaits_isNonBlockingAndCloseOnExec() throws {
            let listener = try Syscall.openSocket(family: .ipv4, type: .stream, nonBlocking: true)
            try Syscall.setReuseAddress(listener.rawValue)
            try Syscall.setReusePort(listener.rawValue)
            try Syscall.bind(listener.rawValue, to: loopback)
            try Syscall.listen(listener.rawValue, backlog: 8)
            #expect(throws: Errno.wouldBlock) { try Syscall.accept(listener.rawValue) }
            let client = try Syscall.openSocket(family: AF_INET, type: .stream, nonBlocking: false)
            try Syscall.connect(client.rawValue, to: try Syscall.localAddress(listener.rawValue))
            let (connection, peer) = try Syscall.accept(listener.rawValue)
            #expect(try peer == Syscall.localAddress(client.rawValue))
            #expect(try Syscall.isCloseOnExec(connection.rawValue))
            #expect(throws: Errno.wouldBlock) { try Syscall.read(connection.rawValue, count: 1) }
            #expect(try Syscall.send(client.rawValue, [7]) == 1)
            #expect(
                try Syscall.poll(
                    connection.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 5_000))
            #expect(try Syscall.read(connection.rawValue, count: 9) == [7])
            Syscall.shutdown(client.rawValue)
            #expect(
                try Syscall.poll(
                    connection.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 5_000))
            #expect(try Syscall.read(connection.rawValue, count: 9) == [])
        }

        @Test func connect_whenSocketIsStale_isRefused() throws {
            let directory = try TemporaryDirectory()
            let address = SocketAddress.unixPath(directory.path + "/stale")
            let server = try Syscall.openSocket(
                family: .unix, type: .sequencedPacket, nonBlocking: true)
            try Syscall.bind(server.rawValue, to: address)
            server.close()
            let client = try Syscall.openSocket(
                family: .unix, type: .sequencedPacket, nonBlocking: true)
            #expect(throws: Errno.connectionRefused) {
                try Syscall.connect(client.rawValue, to: address)
            }
        }
    }
}

extension SocketFacts {
    fileprivate var hasPort: Bool {
        switch address {
        case .ipv4(_, let port), .ipv6(_, let port, _): port != 0
        default: false
        }
    }
}
