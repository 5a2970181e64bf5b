// SPDX-License-Identifier: Apache-2.0

import GRPCNIOTransportHTTP2Posix
import NIOCore
import NIOHTTP2
import NIOPosix
import NIOSSL
import Succession
import SuccessionNIO

/// Makes the channel that takes connections for a gRPC server from a generation's listener.
struct AdoptedListenerFactory: HTTP2ServerTransport.ListenerFactory {
    typealias Connection = HTTP2ServerTransport.ConnectionConfigurator.ConnectionChannel

    /// Kept when the listener has been adopted.
    let adoption: EventLoopPromise<Void>
    private let listener: Listener
    private let generation: Generation
    private let tls: NIOSSLContext?
    private let threads: MultiThreadedEventLoopGroup

    init(
        _ listener: Listener, of generation: Generation, tls: NIOSSLContext?,
        threads: MultiThreadedEventLoopGroup
    ) {
        self.listener = listener
        self.generation = generation
        self.tls = tls
        self.threads = threads
        adoption = threads.any().makePromise()
    }

    var eventLoopGroup: any EventLoopGroup { threads }

    func makeListeningChannel(
        listenerConfigurator: HTTP2ServerTransport.ListenerConfigurator,
        connectionConfigurator: HTTP2ServerTransport.ConnectionConfigurator
    ) async throws -> NIOAsyncChannel<Connection, Never> {
        do {
            let channel = try await ServerBootstrap(group: threads)
                .serverChannelInitializer { listenerConfigurator.configure(channel: $0) }
                .adopt(listener, of: generation, protocol: "grpc") { [tls, generation] connection in
                    Self.setUp(connection, tls, connectionConfigurator, generation)
                }
            adoption.succeed()
            return channel
        } catch {
            adoption.fail(error)
            throw error
        }
    }

    /// On the connection's event loop.
    ///
    /// The drain is announced below gRPC's HTTP/2, which would refuse every stream from its own
    /// GOAWAY on, also one that the client opened before it could know (swift-nio-http2#466).
    private static func setUp(
        _ connection: any Channel, _ tls: NIOSSLContext?,
        _ configurator: HTTP2ServerTransport.ConnectionConfigurator, _ generation: Generation
    ) -> EventLoopFuture<Connection> {
        connection.eventLoop.makeCompletedFuture {
            guard let tls else { return }
            try connection.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
        }.flatMap {
            configurator.configure(
                channel: connection,
                tls: tls == nil ? .none : .configured(requireALPN: false))
        }.flatMapThrowing { configured in
            let pipeline = connection.pipeline.syncOperations
            let codec = try pipeline.handler(type: NIOHTTP2Handler.self)
            try pipeline.addHandler(
                HTTP2DrainHandler(generation, shownAs: "grpc"), position: .before(codec))
            return configured
        }
    }
}
