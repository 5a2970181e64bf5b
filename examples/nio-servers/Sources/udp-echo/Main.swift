// SPDX-License-Identifier: Apache-2.0

import ExampleSupport
import Glibc
import NIOCore
import NIOPosix
import Succession
import SuccessionNIO

/// Sends each datagram back with the generation in front.
@main
enum Main {
    static func main() async {
        do {
            try await serve(Options.read("udp-echo"))
        } catch {
            leave("udp-echo: \(error)", status: 1)
        }
    }

    // snippet serve
    static func serve(_ options: Options) async throws {
        let generation = try await Generation.begin(
            options.service, configuration: options.configuration)
        let socket = try generation.listener("echo", orBind: options.listen)
        _ = try await DatagramBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Echo())
                }
            }
            .adopt(socket, of: generation)
        try await Task.sleep(for: options.startDelay)
        try await generation.ready()
        await generation.drained()
    }
    // end serve
}

final class Echo: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let prefix = "gen=\(getpid()) "

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var envelope = unwrapInboundIn(data)
        var answer = ByteBuffer(string: prefix)
        answer.writeBuffer(&envelope.data)
        envelope.data = answer
        context.writeAndFlush(wrapOutboundOut(envelope), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Of one datagram: a client that has gone. The others are to be answered.
    }
}
