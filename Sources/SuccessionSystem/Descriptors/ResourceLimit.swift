// SPDX-License-Identifier: Apache-2.0

import Glibc
package import SystemPackage

/// Limits of this process.
package enum ResourceLimit {
    /// Sets how many descriptors this process may have open; the hard limit stays.
    ///
    /// The corresponding C function is `setrlimit`.
    package static func setOpenFiles(_ count: Int) throws(Errno) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(7) /* RLIMIT_NOFILE */, &limit) == 0 else {
            throw Errno(rawValue: errno)
        }
        limit.rlim_cur = rlim_t(count)
        guard setrlimit(__rlimit_resource_t(7), &limit) == 0 else { throw Errno(rawValue: errno) }
    }

    /// How many descriptors this process may have open.
    ///
    /// The corresponding C function is `getrlimit`.
    package static func openFiles() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(7) /* RLIMIT_NOFILE */, &limit) == 0 else {
            return .max
        }
        return Int(clamping: limit.rlim_cur)
    }
}
