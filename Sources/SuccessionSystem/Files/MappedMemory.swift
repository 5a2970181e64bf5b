// SPDX-License-Identifier: Apache-2.0

import Glibc
package import SystemPackage

/// A file mapped into memory for reading, until the last reference is gone.
///
/// The file must be sealed (``MemoryFile/isSealed(_:)``): a process that can shrink it can kill its
/// readers.
package final class MappedMemory: Sendable {
    // Sound: set once, the pages are read-only, and they stay mapped as long as this object lives.
    private nonisolated(unsafe) let start: UnsafeMutableRawPointer?
    private let size: Int

    /// Maps the first `size` bytes; the descriptor may be closed afterwards.
    ///
    /// The corresponding C function is `mmap`.
    package init(readOnly fd: CInt, size: Int) throws(Errno) {
        guard size >= 0 else { throw .invalidArgument }
        self.size = size
        if size == 0 {
            // mmap(2) refuses an empty range.
            start = nil
            return
        }
        // Private: before Linux 6.7 a shared mapping of a file sealed against writing is refused.
        let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, fd, 0)
        guard let address, address != MAP_FAILED else { throw Errno(rawValue: errno) }
        start = address
    }

    deinit {
        if let start { munmap(start, size) }
    }

    /// Lends the bytes; the pointer is good for the length of the call.
    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(UnsafeRawBufferPointer(start: start, count: size))
    }
}
