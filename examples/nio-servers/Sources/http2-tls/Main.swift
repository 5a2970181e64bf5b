// SPDX-License-Identifier: Apache-2.0

import ExampleSupport
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import Succession
import SuccessionNIO

/// HTTP/2 and HTTP/1.1 over TLS on one port, whichever the client chooses.
@main
enum Main {
    static func main() async {
        let options = Options.read("http2-tls", also: ["certificate", "key"])
        do {
            try await serve(options)
        } catch {
            leave("http2-tls: \(error)", status: 1)
        }
    }

    static func serve(_ options: Options) async throws {
        let tls = try tlsContext(certificate: options["certificate"], key: options["key"])
        let generation = try await Generation.begin(
            options.service, configuration: options.configuration)
        let listener = try generation.listener("https", orBind: options.listen)
        let threads = MultiThreadedEventLoopGroup(numberOfThreads: options.threads)
        _ = try await ServerBootstrap(group: threads)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // Who has asked may shut down writing, and waits for the answer.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in setUp(channel, tls, generation) }
            .adopt(listener, of: generation)
        try await Task.sleep(for: options.startDelay)
        try await generation.ready()
        await generation.drained()
    }

    // snippet pipeline
    static func setUp(
        _ channel: any Channel, _ tls: NIOSSLContext, _ generation: Generation
    ) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandlers(
                NIOSSLServerHandler(context: tls), HandshakeDrainHandler(generation))
        }.flatMap {
            channel.configureHTTP2SecureUpgrade(
                h2ChannelConfigurator: { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.addHandler(HTTP2DrainHandler(generation))
                        _ = try pipeline.configureHTTP2Pipeline(
                            mode: .server, connectionConfiguration: .init(),
                            streamConfiguration: .init()
                        ) { stream in
                            stream.eventLoop.makeCompletedFuture {
                                let pipeline = stream.pipeline.syncOperations
                                try pipeline.addHandler(HTTP2FramePayloadToHTTP1ServerCodec())
                                try pipeline.addHandler(Answers())
                            }
                        }
                    }
                },
                http1ChannelConfigurator: { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.configureHTTPServerPipeline()
                        try pipeline.addHandler(HTTP1DrainHandler(generation))
                        try pipeline.addHandler(Answers())
                    }
                })
        }
    }
    // end pipeline

    static func tlsContext(certificate: String, key: String) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(certificate)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
        configuration.applicationProtocols = NIOHTTP2SupportedALPNProtocols
        return try NIOSSLContext(configuration: configuration)
    }
}
