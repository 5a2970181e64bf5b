// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// A connection taken by ``Listener/accept()``: a non-blocking stream socket, counted until it is
/// closed.
///
/// It is closed when the last reference is gone or ``close()`` is called, whichever is first.
public final class Connection: Sendable {
    /// The other end, as text; empty for an unnamed Unix socket.
    public let peer: String
    private let descriptor: OwnedDescriptor
    private let entry: ConnectionRegistry.Entry

    init(descriptor: OwnedDescriptor, peer: String, entry: ConnectionRegistry.Entry) {
        self.descriptor = descriptor
        self.peer = peer
        self.entry = entry
    }

    deinit { close() }

    /// Ends the connection; later calls do nothing.
    public func close() {
        entry.close()
        descriptor.close()
    }

    /// Lends the descriptor for the length of a call.
    public func withUnsafeDescriptor<Result, Failure: Error>(
        _ body: (CInt) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(descriptor.rawValue)
    }

    /// Gives the descriptor away: the caller closes it, and it is no longer counted.
    public func relinquish() -> CInt {
        entry.close()
        return descriptor.relinquish()
    }
}
