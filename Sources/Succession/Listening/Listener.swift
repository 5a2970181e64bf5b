// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Synchronization
import SystemPackage

/// A bound socket of this service, or any other descriptor that goes from generation to generation
/// under a name.
///
/// The generation owns it: it stays open until the generation drains, whatever a framework does
/// with the duplicate it was given. Never call `shutdown(2)` on it: the socket is shared, and that
/// would stop the successor too.
public final class Listener: Sendable {
    /// Where a listener came from.
    public enum Origin: Sendable, Hashable {
        /// Bound by this generation or an earlier one.
        case bound
        /// Given by the service manager.
        case activation
    }

    /// The name under which generations and service manager know it; several listeners may share
    /// one.
    public let name: String
    /// The address as the kernel tells it: a port of 0 has been replaced by the one chosen.
    public let address: ListenAddress
    /// Where it came from first; a listener keeps that from generation to generation.
    public let origin: Origin
    /// Length of the queue given to `listen(2)`.
    ///
    /// 0 for sockets that do not listen. An adapter whose framework calls `listen` again must
    /// restore it.
    public let backlog: Int

    let descriptor: OwnedDescriptor
    /// Bound by this very generation, and not by an earlier one.
    let isBoundHere: Bool
    /// The service manager keeps it too, and the next one that is started finds it.
    let isStored: Atomic<Bool>
    let gate = AcceptGate()
    /// The file at the path of a Unix socket when the listener came to this generation.
    ///
    /// By then nobody else had a reason to replace it; whoever does so later owns the path.
    let pathIdentity: FileIdentity?
    private let connections: ConnectionRegistry
    private let acceptors = Mutex<[Attached]>([])

    init(
        name: String, address: ListenAddress, origin: Origin, backlog: Int,
        descriptor: OwnedDescriptor, isBoundHere: Bool, isStored: Bool = false,
        connections: ConnectionRegistry
    ) {
        self.name = name
        self.address = address
        self.origin = origin
        self.backlog = backlog
        self.descriptor = descriptor
        self.isBoundHere = isBoundHere
        self.isStored = Atomic(isStored)
        self.connections = connections
        if case .unixPath(let path) = address.socketAddress {
            pathIdentity = (try? Syscall.linkStatus(path))?.identity
        } else {
            pathIdentity = nil
        }
    }

    /// Takes the next connection from the queue, waiting for one if need be; nil when this
    /// generation has stopped accepting for good or the task was cancelled.
    ///
    /// Connections that were reset while they waited are passed over, and a full table of
    /// descriptors is met with a pause of 10 ms up to a second: neither is an error. The connection
    /// belongs to the caller. Throws for descriptors that are no stream listeners.
    @concurrent
    public func accept() async throws(SuccessionError) -> Connection? {
        var backOff = Duration.milliseconds(10)
        while !Task.isCancelled {
            let attempt = gate.attempt(descriptor) {
                connections.adopt($0, peer: $1, listener: self)
            }
            switch attempt {
            case .accepted(let connection):
                return connection
            case .closed:
                return nil
            case .paused, .queueEmpty:
                await AcceptWaiters.shared.wait(for: self)
            case .failed(let errno) where Self.isOfTheConnection(errno):
                continue
            case .failed(let errno) where Self.isShortage(errno):
                await ControlThread.pause(for: backOff)
                backOff = min(backOff * 2, .seconds(1))
            case .failed(let errno):
                throw .system("cannot accept from '\(name)' (\(address))", errno)
            }
        }
        return nil
    }

    /// Lends the descriptor for the length of a call.
    ///
    /// It does not block; duplicate it to keep it.
    public func withUnsafeDescriptor<Result, Failure: Error>(
        _ body: (CInt) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(descriptor.rawValue)
    }

    /// Has a framework's adapter told when this generation's turn to accept begins and ends.
    ///
    /// Attach before ``Generation/ready()``.
    public func attach(_ acceptor: any Acceptor) {
        acceptors.withLock { $0.append(Attached(acceptor: acceptor, isPrompt: false)) }
    }

    /// Attaches an adapter none of whose methods blocks the thread it is called on.
    package func attach(prompt acceptor: any Acceptor) {
        acceptors.withLock { $0.append(Attached(acceptor: acceptor, isPrompt: true)) }
    }

    /// accept(2): errors that belong to the connection that was to be taken, not to the listener.
    private static func isOfTheConnection(_ errno: Errno) -> Bool {
        switch errno {
        case .connectionAbort, .networkDown, .protocolError, .hostIsDown,
            .noRouteToHost, .networkUnreachable, .notPermitted:
            true
        default: false
        }
    }

    private static func isShortage(_ errno: Errno) -> Bool {
        switch errno {
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory: true
        default: false
        }
    }
}

extension Listener {
    func resumeAccepting() async throws {
        gate.set(.open)
        await AcceptWaiters.shared.wake(self)
        for attached in acceptors.withLock({ $0 }) {
            try await attached.perform { try await $0.resume() }
        }
    }

    func pauseAccepting() async throws {
        gate.set(.paused)
        for attached in acceptors.withLock({ $0 }) {
            try await attached.perform { try await $0.pause() }
        }
    }

    /// Ends accepting for good; the socket stays open until ``letGo()``.
    func stopAccepting() async {
        gate.set(.closed)
        await AcceptWaiters.shared.wake(self)
        for attached in acceptors.withLock({ $0 }) {
            try? await attached.perform { await $0.stop() }
        }
        await AcceptWaiters.shared.forget(self)
    }

    func letGo() { descriptor.close() }
}

/// An adapter, and whether it may be called on the control thread.
private struct Attached: Sendable {
    let acceptor: any Acceptor
    let isPrompt: Bool

    /// Gives it an order; the code of an application, which may block, runs on a thread of the pool.
    func perform(
        _ order: @escaping @Sendable (any Acceptor) async throws -> Void
    ) async throws {
        if isPrompt {
            try await order(acceptor)
        } else {
            try await Task.detached { [acceptor] in try await order(acceptor) }.value
        }
    }
}
