// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore
import Succession
import Synchronization

/// Starts and stops a server channel as its generation's turn begins and ends.
///
/// NIO closes a server channel for most errors of accept(2), also for those that may pass (a network
/// that is down, a filter that says EPERM). The socket is still there, and is adopted again.
final class AdoptedListener: Acceptor {
    /// Makes another channel of the same listener; nil where the application holds the only one.
    typealias Renewal = @Sendable () async throws -> any Channel

    private struct Fitted: Sendable {
        let channel: any Channel
        let gate: NIOLoopBound<CountingGate>
    }

    private struct State: Sendable {
        var fitted: Fitted?
        var isTurn = false
        var isOver = false
        var pause = AdoptedListener.firstPause
    }

    private static let firstPause = Duration.milliseconds(100)

    private let listener: Listener
    private let connections: ConnectionRegistry
    private let proto: String
    private let renewal: Renewal?
    private let setups = PendingSetups()
    private let state = Mutex(State())

    /// Fits the channel, which does not read yet, with what counts and holds back its connections.
    ///
    /// Called on the channel's event loop.
    init(
        _ channel: any Channel, _ listener: Listener, connections: ConnectionRegistry,
        protocol proto: String, renewal: Renewal? = nil
    ) throws {
        self.listener = listener
        self.connections = connections
        self.proto = proto
        self.renewal = renewal
        try fit(channel)
    }

    private func fit(_ channel: any Channel) throws {
        let gate = CountingGate(listener, connections, protocol: proto, setups: setups)
        gate.whenLost = { [weak self] in self?.lost($0) }
        try channel.pipeline.syncOperations.addHandler(gate, position: .first)
        let fitted = Fitted(
            channel: channel, gate: NIOLoopBound(gate, eventLoop: channel.eventLoop))
        state.withLock { $0.fitted = fitted }
    }

    private func turn(_ isTurn: Bool, isOver: Bool = false) -> Fitted? {
        state.withLock { state in
            state.isTurn = isTurn
            state.isOver = state.isOver || isOver
            return state.fitted
        }
    }

    func resume() async throws {
        guard let fitted = turn(true) else { return }
        try await fitted.channel.eventLoop.submit { try fitted.gate.value.open(fitted.channel) }
            .getWithoutHop()
    }

    func pause() async throws {
        guard let fitted = turn(false) else { return }
        try await fitted.channel.eventLoop.submit { try fitted.gate.value.close(fitted.channel) }
            .flatMap { [setups] in setups.settled(on: fitted.channel.eventLoop) }.getWithoutHop()
    }

    func stop() async {
        let fitted = turn(false, isOver: true)
        // Fails only if the application has closed it.
        try? await fitted?.channel.close()
    }

    // MARK: A channel that NIO has closed

    private func lost(_ error: (any Error)?) {
        let (isOver, pause) = state.withLock { state -> (Bool, Duration?) in
            state.fitted = nil
            guard !state.isOver, renewal != nil else { return (state.isOver, nil) }
            defer { state.pause = min(state.pause * 2, .seconds(5)) }
            return (false, state.pause)
        }
        // The generation has stopped accepting: that is what the channel is closed for.
        if isOver { return }
        let why = error.map { "\($0)" } ?? "no error"
        guard let pause else {
            return listener.tellTrouble(
                "SwiftNIO has closed its server channel (\(why)): nobody accepts; restart, or upgrade"
            )
        }
        listener.tellTrouble("SwiftNIO has closed its server channel (\(why)): another one is made")
        Task { [self] in
            try? await Task.sleep(for: pause)
            await renew()
        }
    }

    private func renew() async {
        guard let renewal, !state.withLock({ $0.isOver }) else { return }
        do {
            let channel = try await renewal()
            try await channel.eventLoop.submit { [self] in
                try fit(channel)
                let (isTurn, isOver, fitted) = state.withLock {
                    ($0.isTurn, $0.isOver, $0.fitted)
                }
                if isOver { channel.close(promise: nil) }
                if isTurn { try fitted?.gate.value.open(channel) }
            }.get()
        } catch {
            lost(error)
        }
    }
}
#endif
