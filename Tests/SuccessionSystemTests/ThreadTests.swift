// SPDX-License-Identifier: Apache-2.0

import Dispatch
import SuccessionSystem
import Synchronization
import Testing

@Suite struct ThreadTests {
    /// In nanoseconds; nil: this kernel tells of none, or of none for each thread.
    private static func slice(of task: String = "thread-self") -> Int? {
        let bytes = (try? Syscall.readFile("/proc/\(task)/sched")) ?? []
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix("se.slice") }
        return line?.split(separator: " ").last.flatMap { Int($0) }
    }

    private func onAThread(
        _ body: @escaping @Sendable () -> (before: Int?, after: Int?)
    ) throws -> (before: Int, after: Int) {
        let seen = Mutex<(before: Int?, after: Int?)>((nil, nil))
        let isDone = DispatchSemaphore(value: 0)
        try startThread(name: "test") {
            seen.withLock { $0 = body() }
            isDone.signal()
        }
        #expect(isDone.wait(timeout: .now() + 10) == .success)
        let (before, after) = seen.withLock { $0 }
        return (try #require(before), try #require(after))
    }

    @Test(.enabled(if: slice() != nil))
    func threadThatPrefersShortSlices_hasShorterOnesThanOthers() throws {
        let slices = try onAThread {
            let before = Self.slice()
            preferShortSlices()
            return (before, Self.slice())
        }
        #expect(slices.after < slices.before)
    }

    /// What is started from there is a server, with threads of its own.
    @Test(.enabled(if: slice() != nil))
    func programOfAThreadThatPrefersShortSlices_hasTheUsual() throws {
        let slices = try onAThread {
            let before = Self.slice()
            preferShortSlices()
            let program = try? RunningProgram()
            return (before, program.flatMap { Self.slice(of: "\($0.pid)") })
        }
        #expect(slices.after == slices.before)
    }
}
