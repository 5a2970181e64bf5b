// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

extension ListenAddress {
    /// What a descriptor turns out to be when the kernel is asked; `other` for all that cannot be
    /// listened on by address.
    init(facts: SocketFacts) {
        let kind: Kind
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
        self.init(kind: kind, socketAddress: facts.address, isDualStack: isDualStack)
    }

    /// A socket of this kind must be in the state of listening to be of use.
    var mustListen: Bool {
        switch kind {
        case .tcp, .unixStream, .unixSequencedPacket, .vsock: true
        case .udp, .unixDatagram, .other: false
        }
    }

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
