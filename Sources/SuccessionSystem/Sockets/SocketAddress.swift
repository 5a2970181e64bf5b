// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The address of a socket.
package enum SocketAddress: Sendable, Hashable {
    /// The host in the byte order of this machine: 127.0.0.1 is 0x7F000001.
    case ipv4(UInt32, port: UInt16)
    /// Sixteen bytes in the order of the network, and the interface of a link-local address or 0.
    case ipv6(bytes: [UInt8], port: UInt16, scope: UInt32)
    case unixPath(String)
    /// A name in the abstract namespace, without the zero byte in front.
    case unixAbstract(String)
    /// A Unix socket that was not bound.
    case unixUnnamed
    case vsock(cid: UInt32, port: UInt32)
    /// An address of a family this package does not read.
    case other(family: CInt)

    /// The longest path of a Unix socket: `sun_path` has 108 bytes, and the last is zero.
    package static let maximumPathLength = 107

    /// Reads a numeric host: dotted IPv4, or IPv6 without brackets and possibly with `%scope`.
    ///
    /// Names are not looked up. The corresponding C function is `inet_pton`.
    package init?(numericHost: String, port: UInt16) {
        var ipv4 = in_addr()
        if inet_pton(AF_INET, numericHost, &ipv4) == 1 {
            self = .ipv4(UInt32(bigEndian: ipv4.s_addr), port: port)
            return
        }
        let parts = numericHost.split(
            separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        guard let host = parts.first else { return nil }
        var scope: UInt32 = 0
        if parts.count == 2 {
            scope = UInt32(parts[1]) ?? if_nametoindex(String(parts[1]))
            if scope == 0 { return nil }
        }
        var ipv6 = in6_addr()
        guard inet_pton(AF_INET6, String(host), &ipv6) == 1 else { return nil }
        self = .ipv6(bytes: withUnsafeBytes(of: ipv6) { Array($0) }, port: port, scope: scope)
    }

    package var socketFamily: SocketFamily {
        switch self {
        case .ipv4: .ipv4
        case .ipv6: .ipv6
        case .unixPath, .unixAbstract, .unixUnnamed: .unix
        case .vsock: .vsock
        case .other(let family): SocketFamily(rawValue: family)
        }
    }

    package var family: CInt { socketFamily.rawValue }

    /// The host as text, `127.0.0.1` or `fe80::1%2`; nil for addresses that have none.
    package var hostText: String? {
        switch self {
        case .ipv4(let host, _):
            return Self.text(AF_INET, host.bigEndian)
        case .ipv6(let bytes, _, let scope):
            guard bytes.count == 16 else { return nil }
            var address = in6_addr()
            withUnsafeMutableBytes(of: &address) { $0.copyBytes(from: bytes) }
            guard let text = Self.text(AF_INET6, address) else { return nil }
            // By number: a name may be another one in another process.
            return scope == 0 ? text : "\(text)%\(scope)"
        case .unixPath, .unixAbstract, .unixUnnamed, .vsock, .other:
            return nil
        }
    }

    private static func text<Address>(_ family: CInt, _ address: Address) -> String? {
        var characters = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let result = withUnsafePointer(to: address) {
            inet_ntop(family, $0, &characters, socklen_t(characters.count))
        }
        guard result != nil else { return nil }
        return String(
            decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

extension SocketAddress: CustomStringConvertible {
    /// `127.0.0.1:80`, `[::1]:80`, `/path`, `@abstract`, `vsock:2:99`.
    package var description: String {
        switch self {
        case .ipv4(_, let port): "\(hostText ?? "?"):\(port)"
        case .ipv6(_, let port, _): "[\(hostText ?? "?")]:\(port)"
        case .unixPath(let path): path
        case .unixAbstract(let name): "@\(name)"
        case .unixUnnamed: "(unnamed)"
        case .vsock(let cid, let port): "vsock:\(cid):\(port)"
        case .other(let family): "(family \(family))"
        }
    }
}

/// The family of a socket, AF_… in C.
package struct SocketFamily: RawRepresentable, Sendable, Hashable {
    package let rawValue: CInt

    package init(rawValue: CInt) {
        self.rawValue = rawValue
    }

    package static let ipv4 = SocketFamily(rawValue: AF_INET)
    package static let ipv6 = SocketFamily(rawValue: AF_INET6)
    package static let unix = SocketFamily(rawValue: AF_UNIX)
    package static let vsock = SocketFamily(rawValue: 40)  // AF_VSOCK
}
