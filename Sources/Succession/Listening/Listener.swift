// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Synchronization
public import SystemPackage

/// A bound socket from which connections or datagrams are taken; it goes from generation to
/// generation under a name.
///
/// ``Generation/listener(_:orBind:options:)`` returns it. The generation owns it: it stays open until the generation drains, whatever a framework does
/// with the duplicate it was given. Never call `shutdown(2)` on it: the socket is shared, and that
/// would stop the successor too.
public final class Listener: Sendable {
    /// Where a listener came from.
    ///
    /// Later versions may add cases: a `switch` in another package needs a `default`.
    #if compiler(>=6.2.3)
    @nonexhaustive
    #endif
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
    /// By then nobody else had a reason to replace it; a process that does so later owns the path.
    let pathIdentity: FileIdentity?
    private let connections: ConnectionRegistry
    /// Tells an operator why nobody is let in.
    private let report: @Sendable (String) -> Void
    private let acceptors = Mutex<[Attached]>([])
    /// When it was last said that clients have to wait.
    private let lastTrouble = Mutex<UInt64?>(nil)

    init(
        name: String, address: ListenAddress, origin: Origin, backlog: Int,
        descriptor: OwnedDescriptor, isBoundHere: Bool, isStored: Bool = false,
        connections: ConnectionRegistry, report: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.name = name
        self.address = address
        self.origin = origin
        self.backlog = backlog
        self.descriptor = descriptor
        self.isBoundHere = isBoundHere
        self.isStored = Atomic(isStored)
        self.connections = connections
        self.report = report
        if case .unixPath(let path) = address.socketAddress {
            pathIdentity = (try? Syscall.linkStatus(path))?.identity
        } else {
            pathIdentity = nil
        }
    }

    /// Takes the next connection from the queue, waiting for one if need be; nil when this
    /// generation has stopped accepting for good or the task was cancelled.
    ///
    /// A cancelled task takes none: what waits in the queue stays there, for another task or a
    /// successor.
    /// Connections that were reset while they waited are passed over. When descriptors are used up
    /// but for a few that the process needs itself, clients wait in the queue until a connection
    /// has been closed. What keeps failing is tried again after 10 ms up to a second. None of it is
    /// an error. The connection belongs to the caller. Throws for descriptors that are no stream
    /// listeners.
    @concurrent
    public func accept() async throws(SuccessionError) -> Connection? {
        var backOff = AcceptBackOff()
        while !Task.isCancelled {
            let attempt = gate.attempt(descriptor, isQueue: address.mustListen) {
                connections.adopt($0, peer: $1, protocol: address.kind.rawValue)
            }
            switch attempt {
            case .accepted(let connection):
                return connection
            case .closed:
                return nil
            case .paused, .queueEmpty:
                await AcceptWaiters.shared.wait(for: descriptor, gate)
            case .noRoom:
                await waitForRoom(.tooManyOpenFiles)
            case .failed(let errno):
                switch backOff.decide(on: errno) {
                case .again: continue
                case .untilRoom: await waitForRoom(errno)
                case .pause(let time):
                    if backOff.isNews { tellTrouble(errno) }
                    await ControlThread.pause(for: time)
                case .giveUp:
                    throw .system("cannot accept from '\(name)' (\(address))", errno)
                }
            }
        }
        return nil
    }

    private func waitForRoom(_ errno: Errno) async {
        tellTrouble(errno)
        await connections.untilOneCloses(within: AcceptBackOff.roomPause)
    }

    /// Says that clients have to wait, and why; not more than once a minute.
    package func tellTrouble(_ errno: Errno) {
        guard errno == .tooManyOpenFiles else {
            return tellTrouble("connections wait to be accepted: \(errno)")
        }
        tellTrouble(
            "connections wait to be accepted: \(errno) (limit \(ResourceLimit.openFiles()), LimitNOFILE= or ulimit -n); \(connections.count) are open, and the last descriptors are kept for upgrades and operators"
        )
    }

    /// Says what keeps this listener from accepting; not more than once a minute.
    package func tellTrouble(_ text: String) {
        let now = Syscall.monotonicNanoseconds()
        let isNews = lastTrouble.withLock { last in
            if let last, now - last < 60_000_000_000 { return false }
            last = now
            return true
        }
        if isNews { report("'\(name)' (\(address)): \(text)") }
    }

    /// Lends the descriptor for the length of a call; the number is -1 once the generation has let
    /// go of it.
    ///
    /// The generation still owns it: do not close it, and duplicate it to keep it. It does not block.
    public func withUnsafeDescriptor<Result, Failure: Error>(
        _ body: (FileDescriptor) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try descriptor.withRawValue { (number) throws(Failure) in
            try body(FileDescriptor(rawValue: number))
        }
    }

    /// Makes a close-on-exec duplicate, which the caller owns and closes.
    ///
    /// A framework that closes what it is given gets one. It may be read from or accepted from only
    /// while it is this generation's turn: see ``attach(_:)``. Throws
    /// ``SuccessionError/Code/resourcesExhausted`` if the process has as many descriptors as it may,
    /// and EBADF as its cause once the generation has let go of the listener.
    public func duplicate() throws(SuccessionError) -> FileDescriptor {
        try duplicateDescriptor()
    }

    func duplicateDescriptor() throws(SuccessionError) -> FileDescriptor {
        do {
            return FileDescriptor(rawValue: try descriptor.duplicate().relinquish())
        } catch {
            throw .system("cannot duplicate '\(name)' (\(address))", error)
        }
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
}

extension Listener {
    func resumeAccepting() async throws {
        gate.set(.open)
        await AcceptWaiters.shared.wake(descriptor)
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
        await AcceptWaiters.shared.wake(descriptor)
        for attached in acceptors.withLock({ $0 }) {
            try? await attached.perform { await $0.stop() }
        }
        await AcceptWaiters.shared.forget(descriptor)
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
