// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// The system calls of this package, one thin function each; only this module calls the C library.
///
/// Descriptors are plain numbers here, lent by their owner, which must outlive the call
/// (see ``OwnedDescriptor``). Every descriptor that is made is close-on-exec.
package enum Syscall {}

extension Syscall {
    /// The result of a C function that returns -1 and sets `errno`.
    static func check<Result: SignedInteger>(_ result: Result) throws(Errno) -> Result {
        if result < 0 { throw Errno(rawValue: errno) }
        return result
    }

    /// The same, repeated when a signal interrupts it.
    static func retrying<Result: SignedInteger>(_ call: () -> Result) throws(Errno) -> Result {
        while true {
            let result = call()
            if result >= 0 { return result }
            let error = Errno(rawValue: errno)
            if error != .interrupted { throw error }
        }
    }

    /// The result of a shim, which is negative for an error.
    static func shim<Result: SignedInteger>(_ result: Result) throws(Errno) -> Result {
        if result < 0 { throw Errno(rawValue: CInt(truncatingIfNeeded: -result)) }
        return result
    }

    /// C strings end at the first zero byte, and what follows would be dropped without a word.
    static func checkPath(_ path: String) throws(Errno) {
        let hasZero = path.utf8.withContiguousStorageIfAvailable { bytes in
            bytes.baseAddress.map { memchr($0, 0, bytes.count) != nil } ?? false
        }
        if hasZero ?? path.utf8.contains(0) { throw .invalidArgument }
    }
}
