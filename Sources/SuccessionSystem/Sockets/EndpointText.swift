// SPDX-License-Identifier: Apache-2.0

/// An address to listen on as it is written everywhere in this project: `tcp:127.0.0.1:8080`.
///
/// Hosts are numeric. Port 0 lets the kernel choose.
package struct EndpointText: Sendable, Hashable {
    package let kind: EndpointKind
    package let address: SocketAddress
    /// One IPv6 socket that also takes IPv4.
    package let isDualStack: Bool

    package init(_ kind: EndpointKind, _ address: SocketAddress, isDualStack: Bool = false) {
        self.kind = kind
        self.address = address
        self.isDualStack = isDualStack
    }

    /// What is wrong with a text, in a sentence that contains it.
    package struct Invalid: Error, Sendable {
        package let message: String
    }

    /// Reads the text.
    package init(_ text: String) throws(Invalid) {
        func invalid(_ reason: String) -> Invalid {
            Invalid(
                message: "'\(text)' is not an address: \(reason) "
                    + "(for example tcp:127.0.0.1:8080, tcp:8080, unix:/run/web.sock)")
        }
        guard let colon = text.firstIndex(of: ":") else { throw invalid("no 'kind:' in front") }
        guard let kind = EndpointKind(rawValue: String(text[..<colon])), kind != .other else {
            throw invalid("'\(text[..<colon])' is not a kind of listener")
        }
        let rest = String(text[text.index(after: colon)...])
        do throws(InvalidPart) {
            switch kind.row.addressing {
            case .internet: self = try Self.internet(kind, rest)
            case .unix: self = try Self.unix(kind, rest)
            case .vsock: self = try Self.vsock(kind, rest)
            case .none: throw InvalidPart("nothing can listen there")
            }
        } catch {
            throw invalid(error.reason)
        }
    }
}

extension EndpointText {
    private struct InvalidPart: Error {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    private static func internet(
        _ kind: EndpointKind, _ rest: String
    ) throws(InvalidPart) -> EndpointText {
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
            return EndpointText(kind, any, isDualStack: true)
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
        return EndpointText(kind, address)
    }

    private static func unix(
        _ kind: EndpointKind, _ path: String
    ) throws(InvalidPart) -> EndpointText {
        if path.hasPrefix("@"), path.utf8.count > 1 {
            return EndpointText(kind, .unixAbstract(String(path.dropFirst())))
        }
        guard path.hasPrefix("/") else {
            throw InvalidPart(
                "the path of a Unix socket begins with '/' (or '@' for an abstract one)")
        }
        guard path.utf8.count <= SocketAddress.maximumPathLength else {
            throw InvalidPart("the path has more than \(SocketAddress.maximumPathLength) bytes")
        }
        return EndpointText(kind, .unixPath(path))
    }

    private static func vsock(
        _ kind: EndpointKind, _ rest: String
    ) throws(InvalidPart) -> EndpointText {
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
        return EndpointText(kind, .vsock(cid: cid, port: port))
    }
}
