// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// Ports of the loopback interface that no process has at the moment.
enum FreePort {
    /// Below the range from which the kernel takes ports for outgoing connections.
    private static let candidates: Range<UInt16> = 10_000..<30_000

    static func find() throws(TestUpgradeError) -> UInt16 {
        for _ in 0..<100 {
            let port = UInt16.random(in: candidates)
            if isFree(port) { return port }
        }
        throw TestUpgradeError(.system, "no port of 100 that were tried is free")
    }

    /// Whether a server could bind the port now, over TCP and UDP, IPv4 and IPv6.
    ///
    /// A host without IPv6 has no say.
    static func isFree(_ port: UInt16) -> Bool {
        for (host, type) in [
            ("0.0.0.0", SocketType.stream), ("::", .stream), ("0.0.0.0", .datagram),
        ] {
            guard let address = SocketAddress(numericHost: host, port: port),
                let socket = try? Syscall.openSocket(
                    family: address.socketFamily, type: type, nonBlocking: true)
            else { continue }
            do {
                // As servers do: connections of an earlier test may linger.
                try Syscall.setReuseAddress(socket.rawValue)
                if address.socketFamily == .ipv6 { try Syscall.setIPv6Only(socket.rawValue, true) }
                try Syscall.bind(socket.rawValue, to: address)
            } catch {
                if error == .addressNotAvailable { continue }
                return false
            }
        }
        return true
    }
}
