// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Memory that a C library allocated and left to its caller.
package enum Heap {
    /// The corresponding C function is `free`.
    package static func free(_ pointer: UnsafeMutableRawPointer?) {
        Glibc.free(pointer)
    }
}
