// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

extension OwnedDescriptor {
    /// True if the other side closes within the time, without having sent anything more.
    func isAtEnd(within milliseconds: CInt) throws -> Bool {
        guard
            try Syscall.poll(
                rawValue, events: Syscall.pollIn, timeoutMilliseconds: milliseconds)
        else { return false }
        return ((try? Syscall.read(rawValue, count: 1)) ?? []).isEmpty
    }
}
