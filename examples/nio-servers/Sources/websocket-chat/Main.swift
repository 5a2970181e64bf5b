// SPDX-License-Identifier: Apache-2.0

import ExampleSupport
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Succession
import SuccessionNIO

/// Everybody hears what one says.
///
/// Who is connected to an old generation is told to come back.
@main
enum Main {
    static func main() async {
        do {
            try await serve(Options.read("websocket-chat"))
        } catch {
            leave("websocket-chat: \(error)", status: 1)
        }
    }

    static func serve(_ options: Options) async throws {
        let generation = try await Generation.begin(
            options.service, configuration: options.configuration)
        let listener = try generation.listener("chat", orBind: options.listen)
        let threads = MultiThreadedEventLoopGroup(numberOfThreads: options.threads)
        let room = Room()
        _ = try await ServerBootstrap(group: threads)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try setUp(channel, room, generation) }
            }
            .adopt(listener, of: generation)
        try await Task.sleep(for: options.startDelay)
        try await generation.ready()
        await generation.drained()
    }

    // snippet pipeline
    static func setUp(_ channel: any Channel, _ room: Room, _ generation: Generation) throws {
        let upgrader = NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(
                        WebSocketDrainHandler(
                            generation, reason: "a new release: please reconnect"
                        ) { channel in
                            room.tell("the server restarts", channel)
                        })
                    try pipeline.addHandler(Participant(room))
                }
            })
        // Only upgrades are answered here; all else is left to the drain of HTTP/1.1.
        let drain = HTTP1DrainHandler(generation)
        let bound = NIOLoopBound(drain, eventLoop: channel.eventLoop)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.configureHTTPServerPipeline(
            withServerUpgrade: (
                upgraders: [upgrader],
                completionHandler: { context in
                    context.pipeline.syncOperations.removeHandler(bound.value, promise: nil)
                }
            ))
        try pipeline.addHandler(drain)
    }
    // end pipeline
}
