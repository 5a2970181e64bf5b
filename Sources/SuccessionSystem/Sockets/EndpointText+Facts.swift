// SPDX-License-Identifier: Apache-2.0

extension EndpointText {
    /// What a descriptor turns out to be when the kernel is asked; `other` for all that cannot be
    /// listened on by address.
    package init(facts: SocketFacts) {
        let kind: EndpointKind
        switch (facts.address, facts.type) {
        case (.ipv4, .stream), (.ipv6, .stream): kind = .tcp
        case (.ipv4, .datagram), (.ipv6, .datagram): kind = .udp
        case (.unixPath, .stream), (.unixAbstract, .stream): kind = .unixStream
        case (.unixPath, .datagram), (.unixAbstract, .datagram): kind = .unixDatagram
        case (.unixPath, .sequencedPacket), (.unixAbstract, .sequencedPacket):
            kind = .unixSequencedPacket
        case (.vsock, .stream): kind = .vsock
        default: kind = .other
        }
        var isDualStack = false
        if case .ipv6(let bytes, _, _) = facts.address, bytes.allSatisfy({ $0 == 0 }) {
            isDualStack = !facts.isIPv6Only
        }
        self.init(kind, facts.address, isDualStack: isDualStack)
    }
}

extension EndpointText: CustomStringConvertible {
    /// The text form.
    package var description: String {
        switch (kind, address) {
        case (.other, _): "other"
        case (_, .vsock(let cid, let port)):
            cid == .max ? "vsock:\(port)" : "vsock:\(cid):\(port)"
        case (_, .ipv6(_, let port, _)) where isDualStack: "\(kind.rawValue):*:\(port)"
        default: "\(kind.rawValue):\(address)"
        }
    }
}
