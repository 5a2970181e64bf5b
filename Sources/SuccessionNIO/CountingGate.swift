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
        let watch = { @Sendable [setups] in
            let counted = CountedConnection(entry) {
                // NIO registers a connection when its initialiser has finished; from there on it no
                // longer depends on its server channel.
                setups.ended(id)
            }
            try? counted.watch(connection)
        }
        if connection.eventLoop.inEventLoop { watch() } else { connection.eventLoop.execute(watch) }
        context.fireChannelRead(data)
    }
}
#endif
