// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Testing

@testable import Succession

@Suite struct StateTests {
    /// Gigabytes may come out of a sequence that makes them as it goes.
    @Test func write_ofALongSequence_goesToTheFileOnTheWay() throws {
        var wasSpilled: Bool?
        let bytes = (0..<200_000).lazy.map { index -> UInt8 in
            if index == 100_000 { wasSpilled = Self.holdsStateFile() }
            return UInt8(truncatingIfNeeded: index)
        }
        var writer = StateWriter()
        try writer.write([1, 2, 3])
        try writer.write(bytes)
        try writer.write([4])
        #expect(wasSpilled == true)
        let state = try writer.finish()
        #expect(state.count == 200_004)
        #expect(
            try state.bytes()
                == [1, 2, 3] + (0..<200_000).map { UInt8(truncatingIfNeeded: $0) } + [4])
    }

    private static func holdsStateFile() -> Bool {
        let numbers = (try? Syscall.listDirectory("/proc/self/fd")) ?? []
        return numbers.contains { number in
            (try? Syscall.readLink("/proc/self/fd/" + number))?.contains("succession-state") == true
        }
    }
}
