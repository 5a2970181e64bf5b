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

    /// Returns when the fixture has come to its step.
    func waitUntilReached(within seconds: Double = 20) throws {
        guard let end,
            try Syscall.poll(
                end.rawValue, events: Syscall.pollIn, timeoutMilliseconds: CInt(seconds * 1_000))
        else { throw ChildProcess.TimedOut(description: "the step was not reached") }
        _ = try Syscall.read(end.rawValue, count: 64)
    }

    /// Lets the fixture go on.
    func release() { end = nil }
}
