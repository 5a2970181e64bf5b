// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import SystemPackage

/// A named pipe by which a fixture says that it has come to a step, and waits there.
final class Fifo {
    let path: String
    private var end: OwnedDescriptor?

    init(in directory: String) throws {
        path = directory + "/step-\(UInt32.random(in: 0 ... .max))"
        guard mkfifo(path, 0o600) == 0 else { throw Errno(rawValue: errno) }
        end = try Syscall.open(path, [.readOnly, .nonBlocking])
    }

    /// Returns when the fixture has come to its step, with what it says there.
    @discardableResult
    func waitUntilReached(within seconds: Double = 20) throws -> String {
        guard let end,
            try Syscall.poll(
                end.rawValue, events: Syscall.pollIn, timeoutMilliseconds: CInt(seconds * 1_000))
        else { throw ChildProcess.TimedOut(description: "the step was not reached") }
        return String(decoding: try Syscall.read(end.rawValue, count: 64), as: UTF8.self)
    }

    /// Returns when the fixture is about to stop at its step, with its pid.
    func waitUntilStopped(within seconds: Double = 20) throws -> Int32 {
        let words = try waitUntilReached(within: seconds).split { $0 == " " || $0 == "\n" }
        guard words.first == "stopped", words.count == 2, let pid = Int32(words[1]) else {
            throw ChildProcess.TimedOut(description: "not told who has stopped: \(words)")
        }
        return pid
    }

    /// Lets the fixture go on.
    func release() { end = nil }
}
