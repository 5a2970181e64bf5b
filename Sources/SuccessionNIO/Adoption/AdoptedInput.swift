// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore
import Succession

/// Starts and stops the reading of a datagram or pipe channel as its generation's turn begins and ends.
struct AdoptedInput: Acceptor {
    private let channel: any Channel
    private let gate: NIOLoopBound<ReadGate>
    private let generation: Generation

    /// Fits the channel, which does not read yet, with what holds back its reads.
    ///
    /// Called on the channel's event loop.
    init(_ channel: any Channel, _ listener: Listener, of generation: Generation) throws {
        let gate: ReadGate = InputGate(listener)
        try channel.pipeline.syncOperations.addHandler(gate, position: .first)
        self.channel = channel
        self.gate = NIOLoopBound(gate, eventLoop: channel.eventLoop)
        self.generation = generation
    }

    func resume() async throws {
        try await channel.eventLoop.submit { try gate.value.open(channel) }.getWithoutHop()
    }

    func pause() async throws {
        try await channel.eventLoop.submit { try gate.value.close(channel) }.getWithoutHop()
    }

    func stop() async {
        // Answers to what was read may still have to be sent, for as long as the generation drains.
        Task {
            await generation.drained()
            try? await channel.close()
        }
    }
}
#endif
