// SPDX-License-Identifier: Apache-2.0

extension EndpointText {
    /// What a descriptor turns out to be when the kernel is asked; `other` for all that cannot be
    /// listened on by address.
    package init(facts: SocketFacts) {
        var isDualStack = false
        if case .ipv6(let bytes, _, _) = facts.address, bytes.allSatisfy({ $0 == 0 }) {
            isDualStack = !facts.isIPv6Only
        }
        self.init(
            EndpointKind(of: facts.address, type: facts.type), facts.address,
            isDualStack: isDualStack)
    }
}

extension EndpointText: CustomStringConvertible {
    /// The text form.
    package var description: String {
        switch (kind.row.addressing, address) {
        case (.none, _): kind.rawValue
        case (.vsock, .vsock(let cid, let port)):
            kind.rawValue + (cid == .max ? ":\(port)" : ":\(cid):\(port)")
        case (.internet, .ipv6(_, let port, _)) where isDualStack: "\(kind.rawValue):*:\(port)"
        case (.internet, _), (.unix, _), (.vsock, _): "\(kind.rawValue):\(address)"
        }
    }
}
