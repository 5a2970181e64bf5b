// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage
import Synchronization

/// A signal to swapctl while it waits for what the server does: the server goes on, and swapctl says
/// so before it leaves.
package enum Interruption {
    private static let relay = Mutex<(read: OwnedDescriptor, write: OwnedDescriptor)?>(nil)

    /// Has SIGINT, SIGTERM and SIGHUP end a wait, and not the process; what is ignored stays so.
    package static func begin() {
        guard let pipe = try? Syscall.pipe(nonBlocking: true) else { return }
        let signals = [Signals.interrupt, Signals.terminate, Signals.hangUp].filter {
            !Signals.isIgnored($0)
        }
        guard (try? SignalRelay.install(signals, writingTo: pipe.write.rawValue)) != nil else {
            return
        }
        relay.withLock { $0 = pipe }
    }

    /// The signal that has come, if any has.
    static func pending() -> CInt? {
        relay.withLock { relay in
            guard let relay, let byte = try? Syscall.read(relay.read.rawValue, count: 1).first
            else { return nil }
            return CInt(byte)
        }
    }

    /// Waits until there is something to read, or until the deadline; throws `interrupted` if a
    /// signal comes first.
    static func check(awaiting fd: CInt, deadline: UInt64) throws(ControlError) {
        guard let pipe = relay.withLock({ $0?.read }) else { return }
        while true {
            let now = Clock.now
            let left = now < deadline ? min((deadline - now + 999_999) / 1_000_000, 60_000) : 0
            let ready = try? Syscall.poll(
                [(fd, Syscall.pollIn), (pipe.rawValue, Syscall.pollIn)],
                timeoutMilliseconds: CInt(left))
            if let signal = pending() { throw .interrupted(by: signal) }
            guard ready == [0, 0], left > 0 else { return }
        }
    }
}

extension ControlError {
    static let interrupted = "interrupted"

    static func interrupted(by signal: CInt) -> ControlError {
        ControlError(
            code: interrupted, message: "\(signal)", exitCode: .unchanged)
    }

    /// The signal of an interruption.
    var signal: CInt? { code == Self.interrupted ? CInt(message) : nil }
}
