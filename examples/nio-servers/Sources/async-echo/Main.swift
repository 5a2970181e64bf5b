// SPDX-License-Identifier: Apache-2.0

import ExampleSupport
import NIOCore
import NIOPosix
import Succession
import SuccessionNIO

/// Sends back what it gets, from a task for each connection.
@main
enum Main {
    static func main() async {
        do {
            try await serve(Options.read("async-echo"))
        } catch {
            leave("async-echo: \(error)", status: 1)
        }
    }

    // snippet serve
    static func serve(_ options: Options) async throws {
        let generation = try await Generation.begin(
            options.service, configuration: options.configuration)
        let listener = try generation.listener("echo", orBind: options.listen)
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            // Who has said everything hears the rest of its echo.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .adopt(listener, of: generation) { channel in
                channel.eventLoop.makeCompletedFuture {
                    // Who is still here in the second half of a drain is told to come back.
                    try channel.pipeline.syncOperations.addHandler(
                        StreamDrainHandler(generation, protocol: "echo", tells: .spread(0.5...0.9))
                        { $0.close(mode: .output, promise: nil) })
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel)
                }
            }
        try await Task.sleep(for: options.startDelay)
        try await generation.ready()
        try await server.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in connections {
                    group.addTask { try? await echo(connection) }  // A lost client is no error.
                }
            }
        }
        await generation.drained()
    }
    // end serve

    static func echo(_ connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>) async throws {
        try await connection.executeThenClose { inbound, outbound in
            for try await bytes in inbound { try await outbound.write(bytes) }
            // Behind everything that is still to be sent: the close would drop that.
            try await connection.channel.writeAndFlush(ByteBuffer())
        }
    }
}
