// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTPTypesHTTP1
import Succession
import SuccessionNIO
import Synchronization

/// Has each connection end in the way of its protocol when its generation drains.
///
/// HTTP/1.1 gets an ``HTTP1DrainHandler`` of its own. What speaks another protocol by then is told
/// by the event with which NIO asks a channel to finish: Hummingbird's HTTP/2 answers it with
/// GOAWAY.
final class ConnectionDrain: Sendable {
    private struct State {
        var isDraining = false
        /// Connections whose protocol was not HTTP/1.1, or not known, when they were set up.
        var others: [ObjectIdentifier: any Channel] = [:]
    }

    private let generation: Generation
    private let state = Mutex(State())

    init(_ generation: Generation) {
        self.generation = generation
        Task { [weak self] in
            await generation.draining()
            self?.begin()
        }
    }

    /// Fits a connection that has been set up; called on its event loop.
    func fit(_ connection: any Channel) throws {
        guard try !addHTTP1Handler(to: connection) else { return }
        let id = ObjectIdentifier(connection)
        let isDraining = state.withLock { state in
            if !state.isDraining { state.others[id] = connection }
            return state.isDraining
        }
        if isDraining { return end(connection) }
        connection.closeFuture.whenComplete { [weak self] _ in
            self?.state.withLock { state in _ = state.others.removeValue(forKey: id) }
        }
    }

    private func begin() {
        let others = state.withLock { state in
            state.isDraining = true
            defer { state.others = [:] }
            return state.others.values
        }
        for connection in others {
            connection.eventLoop.execute { self.end(connection) }
        }
    }

    private func end(_ connection: any Channel) {
        // By now a protocol may have been agreed on.
        guard (try? addHTTP1Handler(to: connection)) != true else { return }
        connection.pipeline.syncOperations.fireUserInboundEventTriggered(
            ChannelShouldQuiesceEvent())
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
