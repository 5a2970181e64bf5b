// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore
import Succession

/// At the head of a server channel's pipeline: lets connections be taken when it is this
/// generation's turn, and counts each from that moment until it is closed.
///
/// One handler and not two: of each type of handler the first in a process takes long to add, and
/// a successor adds these while its predecessor waits.
final class CountingGate: ReadGate, ChannelInboundHandler {
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
        let entry = connections.opened(connection, protocol: proto)
        connection.closeFuture.whenComplete { [setups] _ in
            entry.close()
            setups.ended(id)
        }
        // Comes before the initialiser, which the same event loop runs. It fails only if the
        // connection is gone.
        if connection.eventLoop.inEventLoop {
            try? CountedConnection(entry).watch(connection)
        } else {
            connection.eventLoop.execute { try? CountedConnection(entry).watch(connection) }
        }
        context.fireChannelRead(data)
    }
}
#endif
