// SPDX-License-Identifier: Apache-2.0

public import GRPCCore
public import GRPCNIOTransportHTTP2Posix
import NIOCore
public import NIOPosix
public import NIOSSL
public import Succession

extension HTTP2ServerTransport {
    /// A transport on a listener of a generation.
    ///
    /// ```swift
    /// let transport = HTTP2ServerTransport.Adopted(listener, of: generation)
    /// let server = GRPCServer(transport: transport, services: [Greeter()])
    /// try await withThrowingDiscardingTaskGroup { tasks in
    ///     tasks.addTask { try await server.serve() }
    ///     try await transport.listening()
    ///     try await generation.ready()
    /// }
    /// await generation.drained()
    /// ```
    ///
    /// Connections are taken while it is the generation's turn, and count in
    /// ``Generation/connections`` as `grpc`. When the generation drains, clients are told to take
    /// their next calls elsewhere, calls go on to their end, and `serve()` returns when the last
    /// connection is closed.
    public final class Adopted: ServerTransport {
        /// What messages are made of.
        public typealias Bytes = GRPCNIOTransportBytes

        private let transport: Custom<AdoptedListenerFactory>
        private let factory: AdoptedListenerFactory
        private let generation: Generation

        /// A transport that will serve on `listener`, which must be a stream listener.
        ///
        /// - Parameter tls: the server's certificate and what else TLS needs; nil is plaintext. Put
        ///   `h2` into its `applicationProtocols`: most clients insist on it.
        public init(
            _ listener: Listener, of generation: Generation, tls: NIOSSLContext? = nil,
            config: Posix.Config = .defaults,
            eventLoopGroup: MultiThreadedEventLoopGroup = .singletonMultiThreadedEventLoopGroup
        ) {
            factory = AdoptedListenerFactory(
                listener, of: generation, tls: tls, threads: eventLoopGroup)
            transport = Custom(
                listenerFactory: factory,
                config: Custom<AdoptedListenerFactory>.Config(
                    compression: config.compression, connection: config.connection,
                    http2: config.http2, rpc: config.rpc,
                    channelDebuggingCallbacks: config.channelDebuggingCallbacks))
            self.generation = generation
        }

        deinit {
            // Nobody can wait any longer, and a promise must be kept or broken.
            factory.adoption.fail(RPCError(code: .unavailable, message: "was never served"))
        }

        /// Returns when the server has the listener: the time for ``Generation/ready()``.
        ///
        /// Throws what kept the server from taking it. Waits for as long as the server is not
        /// started.
        @concurrent
        public func listening() async throws {
            try await factory.adoption.futureResult.get()
        }

        /// Called by the server.
        public func configure(context: GRPCServerContext) {
            transport.configure(context: context)
        }

        /// Called by the server.
        @concurrent
        public func listen(
            streamHandler:
                @escaping @concurrent @Sendable (
                    _ stream: RPCStream<Inbound, Outbound>, _ context: ServerContext
                ) async -> Void
        ) async throws {
            try await transport.listen(streamHandler: streamHandler)
        }

        /// Drains the generation, all of it; called by the server.
        ///
        /// Calls on a generation that drains already do nothing.
        public func beginGracefulShutdown() {
            Task { [generation] in await generation.drain() }
        }
    }
}
