// SPDX-License-Identifier: Apache-2.0

/// The kind of a listener; a name that was inherited for one kind is not given out as another.
///
/// A new kind is a case and a row here; the compiler names no other place, for everything else asks
/// the row.
package enum EndpointKind: String, Sendable, Hashable, CaseIterable {
    case tcp, udp, vsock, other
    case unixStream = "unix"
    case unixDatagram = "unix-dgram"
    case unixSequencedPacket = "unix-seqpacket"
}

extension EndpointKind {
    /// What is known of every listener of a kind.
    package struct Row: Sendable, Hashable {
        /// How the address is written behind the kind, and which addresses of the kernel it means.
        package enum Addressing: Sendable, Hashable {
            /// `HOST:PORT`
            case internet
            /// `/PATH` or `@NAME`
            case unix
            /// `PORT` or `CID:PORT`
            case vsock
            /// It cannot be written.
            case none
        }

        package let addressing: Addressing
        /// Nil: no socket, or one that is not known here.
        package let socketType: SocketType?
        /// Clients connect: the socket must be in the state of listening to be of use.
        package let isListening: Bool
        /// A server that starts anew may bind an address whose connections are not quite gone.
        package let reusesAddress: Bool
    }

    package var row: Row {
        switch self {
        case .tcp:
            Row(
                addressing: .internet, socketType: .stream, isListening: true, reusesAddress: true)
        case .udp:
            Row(
                addressing: .internet, socketType: .datagram, isListening: false,
                reusesAddress: false)
        case .unixStream:
            Row(addressing: .unix, socketType: .stream, isListening: true, reusesAddress: false)
        case .unixDatagram:
            Row(addressing: .unix, socketType: .datagram, isListening: false, reusesAddress: false)
        case .unixSequencedPacket:
            Row(
                addressing: .unix, socketType: .sequencedPacket, isListening: true,
                reusesAddress: false)
        case .vsock:
            Row(addressing: .vsock, socketType: .stream, isListening: true, reusesAddress: false)
        case .other:
            Row(addressing: .none, socketType: nil, isListening: false, reusesAddress: false)
        }
    }

    /// The kind of a socket; `other` for all that cannot be listened on by address.
    package init(of address: SocketAddress, type: SocketType?) {
        let addressing = Row.Addressing(of: address)
        self =
            Self.allCases.first {
                $0.row.addressing == addressing && $0.row.socketType == type
            } ?? .other
    }
}

extension EndpointKind.Row.Addressing {
    fileprivate init(of address: SocketAddress) {
        switch address {
        case .ipv4, .ipv6: self = .internet
        case .unixPath, .unixAbstract: self = .unix
        case .vsock: self = .vsock
        case .unixUnnamed, .other: self = .none
        }
    }
}
