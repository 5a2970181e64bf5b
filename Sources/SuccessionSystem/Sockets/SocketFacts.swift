// SPDX-License-Identifier: Apache-2.0

import CSuccession
import Glibc
package import SystemPackage

/// What the kernel says about a socket.
package struct SocketFacts: Sendable, Hashable {
    package var domain: CInt
    /// Nil for a type this package does not use.
    package var type: SocketType?
    package var isListening: Bool
    /// The address the socket is bound to.
    package var address: SocketAddress
    /// Always false for other families.
    package var isIPv6Only: Bool
    /// The length of a listener's queue; nil for others, and where the kernel does not tell.
    package var backlog: Int?
    /// The same number for every descriptor of one socket, and never used again before the next
    /// boot.
    package var cookie: UInt64?

    /// Asks the kernel.
    ///
    /// ENOTSOCK or EBADF is thrown for what is no socket.
    ///
    /// The corresponding C functions are `getsockopt` and `getsockname`.
    package static func of(_ fd: CInt) throws(Errno) -> SocketFacts {
        let domain = try Syscall.option(fd, level: SOL_SOCKET, name: SO_DOMAIN)
        let type = try Syscall.option(fd, level: SOL_SOCKET, name: SO_TYPE)
        let isListening = try Syscall.option(fd, level: SOL_SOCKET, name: SO_ACCEPTCONN) != 0
        var isIPv6Only = false
        if domain == AF_INET6 {
            let level = CInt(IPPROTO_IPV6)
            isIPv6Only = try Syscall.option(fd, level: level, name: IPV6_V6ONLY) != 0
        }
        return SocketFacts(
            domain: domain, type: SocketType(rawValue: type), isListening: isListening,
            address: try Syscall.localAddress(fd), isIPv6Only: isIPv6Only,
            backlog: isListening ? backlog(fd, domain: domain) : nil,
            cookie: try? Syscall.option(fd, level: SOL_SOCKET, name: SO_COOKIE, initial: UInt64(0)))
    }

    private static func backlog(_ fd: CInt, domain: CInt) -> Int? {
        let result: CInt
        switch domain {
        case AF_INET, AF_INET6: result = csuccession_tcp_backlog(fd)
        // By netlink, which a sandbox may forbid.
        case AF_UNIX: result = csuccession_unix_backlog(fd)
        default: return nil
        }
        return result < 0 ? nil : Int(result)
    }
}
