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
    /// The kind of socket; a name that was inherited for one kind is not given out as another.
    enum Kind: String, Sendable, Hashable {
        case tcp, udp, vsock, other
        case unixStream = "unix"
        case unixDatagram = "unix-dgram"
        case unixSequencedPacket = "unix-seqpacket"
    }

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
        func invalid(_ reason: String) -> SuccessionError {
            SuccessionError(
                .invalidAddress,
                "'\(text)' is not an address: \(reason) (for example tcp:127.0.0.1:8080, tcp:8080, unix:/run/web.sock)"
            )
        }
        guard let colon = text.firstIndex(of: ":") else { throw invalid("no 'kind:' in front") }
        guard let kind = Kind(rawValue: String(text[..<colon])), kind != .other else {
            throw invalid("'\(text[..<colon])' is not a kind of listener")
        }
        let rest = String(text[text.index(after: colon)...])
        do throws(InvalidPart) {
            switch kind {
            case .tcp, .udp: self = try Self.internet(kind, rest)
            case .unixStream, .unixDatagram, .unixSequencedPacket: self = try Self.unix(kind, rest)
            case .vsock: self = try Self.vsock(rest)
            case .other: throw InvalidPart("nothing can listen there")
            }
        } catch {
            throw invalid(error.reason)
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

    /// The text form.
    public var description: String {
        switch (kind, socketAddress) {
        case (.other, _): "other"
        case (_, .vsock(let cid, let port)):
            cid == .max ? "vsock:\(port)" : "vsock:\(cid):\(port)"
        case (_, .ipv6(_, let port, _)) where isDualStack: "\(kind.rawValue):*:\(port)"
        default: "\(kind.rawValue):\(socketAddress)"
        }
    }
}

extension ListenAddress {
    private struct InvalidPart: Error {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    private static func bracketed(_ host: String) -> String {
        host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
    }

    private static func internet(_ kind: Kind, _ rest: String) throws(InvalidPart) -> ListenAddress
    {
        var host = "*"
        var portText = rest
        if let colon = rest.lastIndex(of: ":") {
            host = String(rest[..<colon])
            portText = String(rest[rest.index(after: colon)...])
        }
        guard let port = UInt16(portText) else {
            throw InvalidPart("'\(portText)' is not a port between 0 and 65535")
        }
        if host == "*" {
            let any = SocketAddress.ipv6(
                bytes: [UInt8](repeating: 0, count: 16), port: port, scope: 0)
            return ListenAddress(kind: kind, socketAddress: any, isDualStack: true)
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":") else { throw InvalidPart("'[\(host)]' is not IPv6") }
        } else if host.contains(":") {
            throw InvalidPart("an IPv6 address is written in brackets: [\(host)]")
        }
        guard let address = SocketAddress(numericHost: host, port: port) else {
            throw InvalidPart("'\(host)' is not a numeric address, and names are not looked up")
        }
        return ListenAddress(kind: kind, socketAddress: address)
    }

    private static func unix(_ kind: Kind, _ path: String) throws(InvalidPart) -> ListenAddress {
        if path.hasPrefix("@"), path.utf8.count > 1 {
            return ListenAddress(kind: kind, socketAddress: .unixAbstract(String(path.dropFirst())))
        }
        guard path.hasPrefix("/") else {
            throw InvalidPart(
                "the path of a Unix socket begins with '/' (or '@' for an abstract one)")
        }
        guard path.utf8.count <= SocketAddress.maximumPathLength else {
            throw InvalidPart("the path has more than \(SocketAddress.maximumPathLength) bytes")
        }
        return ListenAddress(kind: kind, socketAddress: .unixPath(path))
    }

    private static func vsock(_ rest: String) throws(InvalidPart) -> ListenAddress {
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard let last = parts.last, let port = UInt32(last), parts.count <= 2 else {
            throw InvalidPart("a vsock address is PORT or CID:PORT")
        }
        var cid = UInt32.max  // VMADDR_CID_ANY
        if parts.count == 2 {
            guard let number = UInt32(parts[0]) else {
                throw InvalidPart("'\(parts[0])' is not a CID")
            }
            cid = number
        }
        return ListenAddress(kind: .vsock, socketAddress: .vsock(cid: cid, port: port))
    }
}
