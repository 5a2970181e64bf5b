// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore
import Succession

/// At the head of a server channel's pipeline: counts each connection from the moment it is taken
/// until it is closed.
final class ConnectionCounter: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private let connections: ConnectionRegistry
    private let proto: String
    private let setups: PendingSetups

    init(_ connections: ConnectionRegistry, protocol proto: String, setups: PendingSetups) {
        self.connections = connections
        self.proto = proto
        self.setups = setups
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let connection = unwrapInboundIn(data)
        let id = ObjectIdentifier(connection)
        setups.began(id)
        let entry = connections.opened(
            peer: Self.text(connection.remoteAddress), protocol: proto
        ) {
            connection.close(promise: nil)
        }
        connection.closeFuture.whenComplete { [setups] _ in
            entry.close()
            setups.ended(id)
        }
        context.fireChannelRead(data)
    }

    /// As everywhere in the package: `127.0.0.1:5000`, `[::1]:5000`, nothing for an unnamed Unix
    /// socket.
    private static func text(_ address: SocketAddress?) -> String {
        switch address {
        case .v4: "\(address?.ipAddress ?? ""):\(address?.port ?? 0)"
        case .v6: "[\(address?.ipAddress ?? "")]:\(address?.port ?? 0)"
        case .unixDomainSocket: address?.pathname ?? ""
        case nil: ""
        }
    }
}
#endif
