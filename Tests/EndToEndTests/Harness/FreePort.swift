// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// A port nobody has at the moment, on IPv4 and IPv6, TCP and UDP.
enum FreePort {
    struct NoneFound: Error {}

    static func find() throws -> UInt16 {
        for _ in 0..<50 {
            // Below the range from which the kernel picks ports for outgoing connections.
            let port = UInt16.random(in: 10_000..<30_000)
            if isFree(port) { return port }
        }
        throw NoneFound()
    }

    private static func isFree(_ port: UInt16) -> Bool {
        for (host, type) in [
            ("127.0.0.1", SocketType.stream), ("::1", .stream), ("127.0.0.1", .datagram),
        ] {
            guard let address = SocketAddress(numericHost: host, port: port),
                let socket = try? Syscall.openSocket(
                    family: address.socketFamily, type: type, nonBlocking: true)
            else { return false }
            do { try Syscall.bind(socket.rawValue, to: address) } catch { return false }
        }
        return true
    }
}
