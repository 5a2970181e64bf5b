// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTPTypesHTTP1
import Succession
import SuccessionNIO
import Synchronization

/// Has each connection end in the way of its protocol when its generation drains.
final class ConnectionDrain: Sendable {
    private let generation: Generation
    /// Whether the application's connections agree on a protocol when they have begun; nil until
    /// one has been seen.
    private let negotiates = Mutex<Bool?>(nil)

    init(_ generation: Generation) {
        self.generation = generation
    }

    /// Fits a connection that has been set up; called on its event loop.
    func fit(_ connection: any Channel) throws {
        if try addHTTP1Handler(to: connection) { return }
        let pipeline = connection.pipeline.syncOperations
        if negotiatesProtocol(connection) {
            // Until it speaks, it is as idle as one that speaks HTTP/1.1 and is not used.
            let silent = StreamDrainHandler(generation, tells: .spread(0.5...0.9)) {
                // Fails only if the connection is gone.
                try? $0.pipeline.syncOperations.addHandler(SilentClose(), position: .first)
            }
            try pipeline.addHandlers(
                NegotiatedProtocol(self, insteadOf: silent), silent, position: .last)
        } else {
            // What speaks another protocol from the start is asked as NIO asks a channel to finish.
            pipeline.connectionEntry?.onDrain { _ in
                connection.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            }
        }
    }

    /// Fits a connection that has agreed on its protocol; called before the first byte of it.
    ///
    /// - Parameter handler: stands where the bytes leave TLS.
    fileprivate func fit(_ connection: any Channel, after handler: NegotiatedProtocol) throws {
        guard try !addHTTP1Handler(to: connection) else { return }
        try connection.pipeline.syncOperations.addHandler(
            HTTP2DrainHandler(generation), position: .after(handler))
    }

    /// Returns false if the connection does not speak HTTP/1.1, or not yet.
    private func addHTTP1Handler(to connection: any Channel) throws -> Bool {
        let pipeline = connection.pipeline.syncOperations
        guard let codec = try? pipeline.handler(type: HTTP1ToHTTPServerCodec.self) else {
            return false
        }
        try pipeline.addHandler(HTTP1DrainHandler(generation), position: .before(codec))
        return true
    }

    /// By name: to name the type would be to have everyone build HTTP/2 and TLS.
    private func negotiatesProtocol(_ connection: any Channel) -> Bool {
        negotiates.withLock { known in
            if let known { return known }
            let answer = connection.pipeline.debugDescription
                .contains("ApplicationProtocolNegotiationHandler")
            known = answer
            return answer
        }
    }
}

/// Between TLS and what is agreed on there: fits the connection when its first bytes come.
private final class NegotiatedProtocol: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let drain: ConnectionDrain
    private let silent: StreamDrainHandler

    init(_ drain: ConnectionDrain, insteadOf silent: StreamDrainHandler) {
        self.drain = drain
        self.silent = silent
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let pipeline = context.pipeline.syncOperations
        do {
            try drain.fit(context.channel, after: self)
        } catch {
            return context.close(promise: nil)
        }
        pipeline.removeHandler(silent, promise: nil)
        context.fireChannelRead(data)
        pipeline.removeHandler(self, promise: nil)
    }
}

/// Between the network and TLS, from where it closes: TLS would wait for a client that has nothing
/// to say.
private final class SilentClose: ChannelInboundHandler {
    typealias InboundIn = Never

    func handlerAdded(context: ChannelHandlerContext) {
        context.close(promise: nil)
    }
}

/// At the end of Hummingbird's channel: a connection that arrives here has been set up, and is not
/// read from yet.
final class DrainFitter: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private let drain: ConnectionDrain

    init(_ drain: ConnectionDrain) {
        self.drain = drain
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let connection = unwrapInboundIn(data)
        connection.eventLoop.submit { [drain] in try drain.fit(connection) }
            .hop(to: context.eventLoop).assumeIsolated().whenComplete { result in
                switch result {
                case .success: context.fireChannelRead(self.wrapInboundOut(connection))
                case .failure: connection.close(promise: nil)
                }
            }
    }
}
