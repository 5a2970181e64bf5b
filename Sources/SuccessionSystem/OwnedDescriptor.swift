// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
package import SystemPackage

/// A file descriptor that is closed when its last owner lets go of it.
///
/// A class, because descriptors live in arrays, dictionaries and task groups. A number read from
/// ``rawValue`` is good while the owner lives and nobody closes it: keep the owner in a variable
/// across the call, or use ``withRawValue(_:)``.
package final class OwnedDescriptor: Sendable {
    private let number: Atomic<CInt>

    /// Takes over a descriptor: from now on nobody else may close it.
    package init(taking raw: CInt) {
        number = Atomic(raw)
    }

    deinit { close() }

    /// The descriptor, or -1 once it was closed or relinquished.
    package var rawValue: CInt { number.load(ordering: .acquiring) }

    /// Lends the descriptor and keeps its owner alive for the length of the call.
    package func withRawValue<Result, Failure: Error>(
        _ body: (CInt) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(rawValue)
    }

    /// Gives the descriptor to the caller, who must close it; -1 if it is gone already.
    package func relinquish() -> CInt {
        number.exchange(-1, ordering: .acquiringAndReleasing)
    }

    /// Closes the descriptor; later calls do nothing.
    ///
    /// An error is not reported: Linux has released the number whatever close(2) returns. The
    /// corresponding C function is `close`.
    package func close() {
        let raw = relinquish()
        if raw >= 0 { _ = Glibc.close(raw) }
    }

    /// Makes a second descriptor of the same open file, close-on-exec.
    ///
    /// Flags such as O_NONBLOCK are shared by both. The corresponding C function is `fcntl` with
    /// F_DUPFD_CLOEXEC.
    package func duplicate() throws(Errno) -> OwnedDescriptor {
        try withRawValue { (raw) throws(Errno) in try Self.duplicating(raw) }
    }

    /// Makes a descriptor of the same open file as `raw`, which stays the caller's.
    ///
    /// The number is never 0, 1 or 2, which have a meaning. The corresponding C function is `fcntl`
    /// with F_DUPFD_CLOEXEC.
    package static func duplicating(_ raw: CInt) throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(taking: try Syscall.check(fcntl(raw, F_DUPFD_CLOEXEC, CInt(3))))
    }
}
