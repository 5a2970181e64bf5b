// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

extension ListenAddress {
    /// What a descriptor turns out to be when the kernel is asked; `other` for all that cannot be
    /// listened on by address.
    init(facts: SocketFacts) {
        let endpoint = EndpointText(facts: facts)
        self.init(
            kind: endpoint.kind, socketAddress: endpoint.address,
            isDualStack: endpoint.isDualStack)
    }

    /// A socket of this kind must be in the state of listening to be of use.
    var mustListen: Bool { kind.row.isListening }

    /// True if a socket bound to `actual` is what this address asks for; port 0 asks for any.
    func matches(_ actual: ListenAddress) -> Bool {
        guard kind == actual.kind, isDualStack == actual.isDualStack else { return false }
        switch (socketAddress, actual.socketAddress) {
        case (.ipv4(let host, port: 0), .ipv4(let actualHost, _)): return host == actualHost
        case (.ipv6(let bytes, port: 0, _), .ipv6(let actualBytes, _, _)):
            return bytes == actualBytes
        case (.vsock(.max, let port), .vsock(_, let actualPort)): return port == actualPort
        default: return socketAddress == actual.socketAddress
        }
    }
}
