// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Succession

/// The server channel that Hummingbird made, as a place that sets up connections which other
/// channels have taken.
///
/// A server channel's pipeline gets the connections it is to set up as messages. Hummingbird's gets
/// them from here: what it adds to a connection, and how it counts and serves them, is as if it had
/// taken them itself. Its own socket takes none.
struct ApplicationServer {
    private let channel: any Channel
    private let limit: NIOLoopBound<ReadPermits>?

    /// Fits the channel; it stays open until its generation has drained.
    ///
    /// - Parameter limitsConnections: whether the application says when a connection may be taken.
    init(_ channel: any Channel, of generation: Generation, limitsConnections: Bool) async throws {
        let drain = ConnectionDrain(generation)
        self.channel = channel
        limit = try await channel.eventLoop.submit {
            let permits = ReadPermits()
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(permits, position: .first)
            try pipeline.addHandler(DrainFitter(drain), position: .last)
            try channel.syncOptions?.setOption(.autoRead, value: false)
            return limitsConnections ? NIOLoopBound(permits, eventLoop: channel.eventLoop) : nil
        }.get()
    }

    /// Has the connections that an adopted channel takes set up here.
    func takeConnections(of adopted: any Channel) async throws {
        try await adopted.eventLoop.submit { [channel, limit] in
            try adopted.pipeline.syncOperations.addHandler(
                ConnectionForwarder(to: channel, limit: limit), position: .last)
        }.get()
    }
}

/// At the head of Hummingbird's channel: what asks to read there is a permit for those that wait.
///
/// Used on that channel's event loop. Nothing is ever read from the channel's own socket.
final class ReadPermits: ChannelOutboundHandler {
    typealias OutboundIn = Never

    private var waiting: [@Sendable () -> Void] = []

    /// Asks the application whether a connection may be taken; `then` is called when it may.
    func request(of channel: any Channel, then: @escaping @Sendable () -> Void) {
        waiting.append(then)
        channel.read()
    }

    func read(context: ChannelHandlerContext) {
        let permitted = waiting
        waiting = []
        for read in permitted { read() }
    }
}

/// At the end of an adopted channel: hands each connection to Hummingbird's channel.
final class ConnectionForwarder: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias OutboundIn = Never

    private let server: any Channel
    private let limit: NIOLoopBound<ReadPermits>?

    init(to server: any Channel, limit: NIOLoopBound<ReadPermits>?) {
        self.server = server
        self.limit = limit
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        server.pipeline.fireChannelRead(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        server.pipeline.fireChannelReadComplete()
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        guard let limit else { return context.read() }
        let (server, adopted) = (server, context.eventLoop)
        let reader = NIOLoopBound(context, eventLoop: adopted)
        server.eventLoop.execute {
            limit.value.request(of: server) {
                adopted.execute { reader.value.read() }
            }
        }
    }
}
