// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// Where to listen, written as everywhere in this project: `tcp:127.0.0.1:8080`,
/// `unix:/run/web.sock`, `udp:*:53`.
///
/// | text | listens on |
/// |---|---|
/// | `tcp:127.0.0.1:8080`, `tcp:[::1]:8080` | one address; `[::]` is IPv6 alone |
/// | `tcp:8080`, `tcp:*:8080` | every address of both families, on one socket |
/// | `udp:…` | the same, datagrams |
/// | `unix:/path`, `unix:@name` | a Unix stream socket; `@` is the abstract namespace |
/// | `unix-dgram:/path`, `unix-seqpacket:/path` | Unix sockets of the other types |
/// | `vsock:PORT`, `vsock:CID:PORT` | a virtual machine's socket |
///
/// Hosts are numeric: a listener must not depend on a name service. Port 0 lets the kernel choose.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    typealias Kind = EndpointKind

    let kind: Kind
    let socketAddress: SocketAddress
    /// One IPv6 socket that also takes IPv4.
    let isDualStack: Bool

    init(kind: Kind, socketAddress: SocketAddress, isDualStack: Bool = false) {
        self.kind = kind
        self.socketAddress = socketAddress
        self.isDualStack = isDualStack
    }

    /// Reads the text form; the error says what is wrong with it.
    public init(_ text: String) throws(SuccessionError) {
        do {
            let endpoint = try EndpointText(text)
            self.init(
                kind: endpoint.kind, socketAddress: endpoint.address,
                isDualStack: endpoint.isDualStack)
        } catch {
            throw SuccessionError(.invalidAddress, error.message)
        }
    }

    /// A TCP listener; `*` is every address of both families.
    public static func tcp(_ host: String, _ port: UInt16) throws(SuccessionError) -> ListenAddress
    {
        try ListenAddress("tcp:\(bracketed(host)):\(port)")
    }

    /// A UDP socket; `*` is every address of both families.
    public static func udp(_ host: String, _ port: UInt16) throws(SuccessionError) -> ListenAddress
    {
        try ListenAddress("udp:\(bracketed(host)):\(port)")
    }

    /// A Unix stream listener at a path.
    public static func unix(_ path: String) throws(SuccessionError) -> ListenAddress {
        try ListenAddress("unix:\(path)")
    }

    /// The port of a TCP or UDP address; 0 in an address that lets the kernel choose.
    ///
    /// Nil for Unix sockets, and for vsock, whose ports have 32 bits.
    public var port: UInt16? {
        switch socketAddress {
        case .ipv4(_, let port), .ipv6(_, let port, _): port
        case .unixPath, .unixAbstract, .unixUnnamed, .vsock, .other: nil
        }
    }

    /// The host of a TCP or UDP address, numeric and without brackets: `127.0.0.1`, `::1`; `*` for
    /// every address of both families.
    ///
    /// `0.0.0.0` and `::` are every address of one family. Nil for Unix sockets and for vsock. What
    /// is returned is what ``tcp(_:_:)`` and ``udp(_:_:)`` take.
    public var host: String? {
        isDualStack ? "*" : socketAddress.hostText
    }

    /// The path of a Unix socket, or `@name` for one in the abstract namespace, which is no file.
    ///
    /// Paths begin with `/`, so that the two cannot be taken for each other. Nil for every other
    /// kind. What is returned is what ``unix(_:)`` takes.
    public var path: String? {
        switch socketAddress {
        case .unixPath(let path): path
        case .unixAbstract(let name): "@\(name)"
        case .ipv4, .ipv6, .unixUnnamed, .vsock, .other: nil
        }
    }

    /// The text form.
    public var description: String {
        EndpointText(kind, socketAddress, isDualStack: isDualStack).description
    }
}

extension ListenAddress {
    private static func bracketed(_ host: String) -> String {
        host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
    }
}
