// SPDX-License-Identifier: Apache-2.0

#if NIO
public import NIOCore
public import Succession

/// At the head of a connection's pipeline: its entry in the generation's registry.
///
/// Used on the connection's event loop.
final class CountedConnection: ChannelInboundHandler {
    typealias InboundIn = Never

    let entry: ConnectionRegistry.Entry
    private let whenRegistered: @Sendable () -> Void
    private var handshakeEnds: (() -> Void)?

    init(
        _ entry: ConnectionRegistry.Entry, whenRegistered: @escaping @Sendable () -> Void = {}
    ) {
        self.entry = entry
        self.whenRegistered = whenRegistered
    }

    func channelRegistered(context: ChannelHandlerContext) {
        whenRegistered()
        context.fireChannelRegistered()
    }

    /// Calls `body` when a drain handler is added that knows how to end the connection.
    func whenItsProtocolIsKnown(_ body: @escaping () -> Void) {
        handshakeEnds = body
    }

    fileprivate func itsProtocolIsKnown() {
        handshakeEnds?()
        handshakeEnds = nil
    }

    func watch(_ channel: any Channel) throws {
        try channel.pipeline.syncOperations.addHandler(self, position: .first)
    }
}

extension ChannelPipeline.SynchronousOperations {
    /// The entry by which a generation counts this connection; nil if no adopted listener took it.
    ///
    /// Say with ``ConnectionRegistry/Entry/setProtocol(_:)`` what the connection speaks, and be told by
    /// ``ConnectionRegistry/Entry/onDrain(_:)`` when it is time to end it.
    public var connectionEntry: ConnectionRegistry.Entry? { countedConnection?.entry }

    var countedConnection: CountedConnection? { try? handler(type: CountedConnection.self) }
}

extension Generation {
    /// The connection as it is counted, for a handler that knows how to end it; one that no adopted
    /// listener took is counted from now on.
    func countedConnection(_ channel: any Channel) throws -> CountedConnection {
        if let counted = channel.pipeline.syncOperations.countedConnection {
            counted.itsProtocolIsKnown()
            return counted
        }
        let entry = connections.register(channel, protocol: "tcp")
        channel.closeFuture.whenComplete { _ in entry.close() }
        let counted = CountedConnection(entry)
        try counted.watch(channel)
        return counted
    }
}

extension ConnectionRegistry {
    /// Counts a channel, which is closed when the deadline of a drain has passed.
    func register(_ channel: any Channel, protocol proto: String) -> Entry {
        register(peer: Self.text(channel.remoteAddress), protocol: proto) {
            channel.cut()
        }
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
