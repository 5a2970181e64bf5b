// SPDX-License-Identifier: Apache-2.0

import CSuccession
package import SystemPackage

/// Files that live in memory and have no path.
package enum MemoryFile {
    /// Makes an empty file.
    ///
    /// The name is seen in /proc only and need not be unique.
    ///
    /// The corresponding C function is `memfd_create`.
    package static func create(
        name: String, allowSealing: Bool
    ) throws(Errno) -> OwnedDescriptor {
        try Syscall.owned(csuccession_memory_file(name, allowSealing ? 1 : 0))
    }

    /// Has the file never change again, for anybody, this process included.
    ///
    /// EBUSY: it is mapped for writing. EPERM: made without sealing. The corresponding C function
    /// is `fcntl` with F_ADD_SEALS.
    package static func seal(_ fd: CInt) throws(Errno) {
        _ = try Syscall.shim(csuccession_seal(fd))
    }

    /// Whether nobody can shrink, grow or write the file any more: before that it must not be
    /// mapped, because touching a page that its writer has cut off is a SIGBUS.
    ///
    /// EINVAL: no memory file. The corresponding C function is `fcntl` with F_GET_SEALS.
    package static func isSealed(_ fd: CInt) throws(Errno) -> Bool {
        try Syscall.shim(csuccession_is_sealed(fd)) == 1
    }

    /// The size in bytes.
    ///
    /// The corresponding C function is `fstat`.
    package static func size(_ fd: CInt) throws(Errno) -> Int {
        try Syscall.status(of: fd).size
    }
}
