// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore
import Succession

/// Starts and stops a server channel as its generation's turn begins and ends.
struct AdoptedListener: Acceptor {
    private let channel: any Channel
    private let gate: NIOLoopBound<CountingGate>
    private let setups: PendingSetups

    /// Fits the channel, which does not read yet, with what counts and holds back its connections.
    ///
    /// Called on the channel's event loop.
    init(
        _ channel: any Channel, connections: ConnectionRegistry, protocol proto: String
    ) throws {
        let setups = PendingSetups()
        let gate = CountingGate(connections, protocol: proto, setups: setups)
        let pipeline = channel.pipeline.syncOperations
        // A full table of descriptors would otherwise be tried again without pause.
        let backOff = AcceptBackoffHandler(shouldForwardIOErrorCaught: true)
        try pipeline.addHandlers([gate, backOff], position: .first)
        self.channel = channel
        self.gate = NIOLoopBound(gate, eventLoop: channel.eventLoop)
        self.setups = setups
    }

    func resume() async throws {
        try await channel.eventLoop.submit { try gate.value.open(channel) }.here()
    }

    func pause() async throws {
        try await channel.eventLoop.submit { try gate.value.close(channel) }
            .flatMap { setups.settled(on: channel.eventLoop) }.here()
    }

    func stop() async {
        // Fails only if the application has closed it.
        try? await channel.close()
    }
}
#endif
