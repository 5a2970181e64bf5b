// SPDX-License-Identifier: Apache-2.0

#if NIO
public import NIOCore
import NIOHTTP1
public import NIOPosix
public import Succession

extension Generation {
    /// Serves on one listener from begin to drain: the whole of a server that has only a `main`.
    ///
    /// Begins a generation, takes the listener called `service` or binds it, accepts, and returns
    /// when nothing more is accepted and every connection is over or was cut by the deadline:
    /// return from `main` then. SIGUSR2 starts a successor, SIGTERM drains, SIGINT stops, unless the
    /// configuration says otherwise. SIGHUP is left alone: it also says that a terminal was closed.
    /// `swapctl` does all of that too.
    ///
    /// `initialise` sets up each connection on its event loop; a drain handler belongs into it. If
    /// clients may shut down writing before they have their answer, set `allowRemoteHalfClosure`
    /// there: SwiftNIO leaves it off and closes the connection when it reads that end.
    /// Throws what ``begin(_:configuration:)``, ``listener(_:orBind:options:)`` and ``ready()``
    /// throw: print it and leave, a predecessor serves on. Cancelling the task begins a drain, and the
    /// call returns when that is over, as ``run(_:configuration:_:)`` does.
    @concurrent
    public static func serve(
        _ service: String, at address: ListenAddress,
        configuration: GenerationConfiguration = GenerationConfiguration(),
        group: any EventLoopGroup = .singletonMultiThreadedEventLoopGroup,
        initialise: @escaping @Sendable (any Channel, Generation) throws -> Void
    ) async throws {
        try await run(service, configuration: configuration) { generation in
            let listener = try generation.listener(service, orBind: address)
            _ = try await ServerBootstrap(group: group)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try initialise(channel, generation) }
                }
                .adopt(listener, of: generation)
            try await generation.ready()
            await generation.draining()
        }
    }

    /// Serves HTTP/1.1 on one listener from begin to drain.
    ///
    /// Like ``serve(_:at:configuration:group:initialise:)``, with NIO's HTTP/1.1 handlers and
    /// ``HTTP1DrainHandler`` before those that `handlers` makes for each connection: they get
    /// `HTTPServerRequestPart` and write `HTTPServerResponsePart`. A client that shuts down writing
    /// behind its request gets its answer.
    @concurrent
    public static func serveHTTP(
        _ service: String, at address: ListenAddress,
        configuration: GenerationConfiguration = GenerationConfiguration(),
        group: any EventLoopGroup = .singletonMultiThreadedEventLoopGroup,
        handlers: @escaping @Sendable () -> [any ChannelHandler]
    ) async throws {
        try await serve(service, at: address, configuration: configuration, group: group) {
            channel, generation in
            try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline()
            try pipeline.addHandler(HTTP1DrainHandler(generation))
            try pipeline.addHandlers(handlers())
        }
    }
}
#endif
