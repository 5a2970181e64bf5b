// SPDX-License-Identifier: Apache-2.0

import Dispatch
import SuccessionSystem
import Synchronization
import Testing

@Suite struct ThreadTests {
    /// In nanoseconds; nil: this kernel tells of none, or of none for each thread.
    private static func slice() -> Int? {
        let bytes = (try? Syscall.readFile("/proc/thread-self/sched")) ?? []
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix("se.slice") }
        return line?.split(separator: " ").last.flatMap { Int($0) }
    }

    @Test(.enabled(if: slice() != nil))
    func timeSlice_whenRequested_isTheThreads() throws {
        let seen = Mutex<[Int?]>([])
        let isDone = DispatchSemaphore(value: 0)
        try startThread(name: "test") {
            for request in [TimeSlice.usual, .short, .long, .usual] {
                request.request()
                seen.withLock { $0.append(Self.slice()) }
            }
            isDone.signal()
        }
        #expect(isDone.wait(timeout: .now() + 10) == .success)
        let slices = try seen.withLock { $0 }.map { try #require($0) }
        #expect(slices[1] < slices[0])
        #expect(slices[2] > slices[0])
        #expect(slices[3] == slices[0])
    }
}
