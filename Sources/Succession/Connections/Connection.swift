// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Synchronization
public import SystemPackage

/// A connection taken by ``Listener/accept()``: a non-blocking stream socket, counted until it is
/// closed.
///
/// It is closed when the last reference is gone or ``close()`` is called, whichever is first.
public final class Connection: Sendable {
    /// The other end, as text; empty for an unnamed Unix socket.
    public let peer: String
    /// Its place in ``Generation/connections``: takes the name of its protocol, and tells when it is
    /// time to end.
    public let entry: ConnectionRegistry.Entry
    private let descriptor: OwnedDescriptor
    /// Of the task that waits until it can read or write.
    private let waiting = Mutex<[OneShot<Void>]>([])

    init(descriptor: OwnedDescriptor, peer: String, entry: ConnectionRegistry.Entry) {
        self.descriptor = descriptor
        self.peer = peer
        self.entry = entry
    }

    deinit { close() }

    /// Closes the connection; later calls do nothing.
    ///
    /// A task that reads or writes throws ``SuccessionError`` with EBADF as its cause.
    public func close() {
        let signals = waiting.withLock { waiting in
            descriptor.close()
            defer { waiting = [] }
            return waiting
        }
        for signal in signals { signal.fulfil(()) }
        // Last: a listener that waits for room may want the number.
        entry.close()
    }

    /// Has a signal fulfilled by ``close()``.
    ///
    /// `begin` is called with the number, which until it returns is nobody else's. EBADF: it is
    /// closed.
    func wait<Result: Sendable>(
        with signal: OneShot<Void>, _ begin: (CInt) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        // The lock takes no typed errors.
        try waiting.withLock { waiting -> Swift.Result<Result, Errno> in
            guard descriptor.rawValue >= 0 else { return .failure(.badFileDescriptor) }
            waiting.append(signal)
            return Swift.Result { () throws(Errno) in try begin(descriptor.rawValue) }
        }.get()
    }

    func endWait(with signal: OneShot<Void>) {
        waiting.withLock { $0.removeAll { $0 === signal } }
    }

    /// Lends the descriptor for the length of a call; the number is -1 once the connection is
    /// closed.
    ///
    /// A ``close()`` in the middle of it takes effect when the call returns: the number cannot come
    /// to mean another client meanwhile.
    public func withUnsafeDescriptor<Result, Failure: Error>(
        _ body: (FileDescriptor) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try descriptor.withRawValue { (number) throws(Failure) in
            try body(FileDescriptor(rawValue: number))
        }
    }

    /// Gives the descriptor to the caller, who closes it; the connection is no longer counted.
    ///
    /// The number is -1 if the connection was closed or relinquished before.
    public func relinquish() -> FileDescriptor {
        let number = descriptor.relinquish()
        entry.close()
        return FileDescriptor(rawValue: number)
    }
}

extension ConnectionRegistry {
    /// Counts an accepted socket as a connection.
    func adopt(
        _ descriptor: OwnedDescriptor, peer: SocketAddress, protocol proto: String
    ) -> Connection {
        let text = peer == .unixUnnamed ? "" : "\(peer)"
        // Weak: the registry must not keep a connection open. shutdown(2) wakes a task that reads or
        // writes; the owner closes.
        let entry = register(peer: text, protocol: proto) {
            [weak descriptor] in
            // Lent: by its bare number another client could be cut.
            descriptor?.withRawValue { Syscall.shutdown($0) }
        }
        return Connection(descriptor: descriptor, peer: text, entry: entry)
    }
}
