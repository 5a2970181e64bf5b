// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A server's address, written `tcp:127.0.0.1:80`, `tcp:[::1]:80`, `udp:…` or `unix:/path`.
struct Target: Sendable {
    /// The address as it was written.
    let text: String
    let family: Int32
    let type: Int32
    /// The socket address as connect(2) wants it.
    let address: [UInt8]

    /// Returns nil unless the text is a numeric address of one of the wanted schemes.
    init?(_ text: String, schemes: Set<String>) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let scheme = String(text[..<colon])
        let rest = String(text[text.index(after: colon)...])
        guard schemes.contains(scheme) else { return nil }
        guard let parsed = scheme == "unix" ? Self.unix(rest) : Self.internet(rest) else {
            return nil
        }
        self.text = text
        (family, address) = parsed
        type = Int32((scheme == "udp" ? SOCK_DGRAM : SOCK_STREAM).rawValue)
    }

    private static func unix(_ path: String) -> (Int32, [UInt8])? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let stored = withUnsafeMutableBytes(of: &address.sun_path) { field in
            // The last byte stays zero: the kernel wants a terminated path.
            guard !bytes.isEmpty, bytes.count < field.count else { return false }
            field.copyBytes(from: bytes)
            return true
        }
        return stored ? (AF_UNIX, withUnsafeBytes(of: &address) { Array($0) }) : nil
    }

    private static func internet(_ text: String) -> (Int32, [UInt8])? {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { return nil }
        let host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            guard inet_pton(AF_INET6, String(host.dropFirst().dropLast()), &address.sin6_addr) == 1
            else { return nil }
            return (AF_INET6, withUnsafeBytes(of: &address) { Array($0) })
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, String(host), &address.sin_addr) == 1 else { return nil }
        return (AF_INET, withUnsafeBytes(of: &address) { Array($0) })
    }
}
