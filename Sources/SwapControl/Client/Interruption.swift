// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Synchronization
package import SystemPackage

/// Ends the waits of one operation from outside: on a signal to swapctl, or when a task is cancelled.
///
/// Only the wait ends. The server carries on with what it was asked for.
package final class Interruption: Sendable {
    /// Readable while a signal has not been taken, and for good after ``cancel()``.
    private let pipe: (read: OwnedDescriptor, write: OwnedDescriptor)
    private let isCancelled = Atomic(false)
    /// Whether the source is a signal, which ends the wait for progress alone.
    ///
    /// A verb that has not sent its request, or looks for an outcome, has nothing to tell the operator yet.
    let isBySignals: Bool

    /// Throws EMFILE or ENFILE if there is no descriptor left.
    package convenience init() throws(Errno) {
        try self.init(isBySignals: false)
    }

    private init(isBySignals: Bool) throws(Errno) {
        pipe = try Syscall.pipe(nonBlocking: true)
        self.isBySignals = isBySignals
    }

    /// Makes SIGINT, SIGTERM and SIGHUP end a wait instead of this process; an ignored signal stays ignored.
    ///
    /// Nil: the handlers could not be installed, and the signals keep their effect. The handlers write to the pipe
    /// until the process ends, so the result must live as long.
    package static func bySignals() -> Interruption? {
        guard let interruption = try? Interruption(isBySignals: true) else { return nil }
        let signals = [Signals.interrupt, Signals.terminate, Signals.hangUp].filter {
            !Signals.isIgnored($0)
        }
        let target = interruption.pipe.write.rawValue
        guard (try? SignalRelay.install(signals, writingTo: target)) != nil else { return nil }
        installed.withLock { $0.append(interruption) }
        return interruption
    }

    private static let installed = Mutex<[Interruption]>([])

    /// Ends the current wait and every later one; for the cancellation of a task.
    package func cancel() {
        isCancelled.store(true, ordering: .sequentiallyConsistent)
        // The byte is never read, so that every later poll returns at once.
        Syscall.writeWithoutWaiting(pipe.write.rawValue, [0])
    }

    /// Takes the signal that has arrived; nil: none has.
    func takeSignal() -> CInt? {
        guard !isCancelled.load(ordering: .sequentiallyConsistent),
            let byte = try? Syscall.read(pipe.read.rawValue, count: 1).first, byte != 0
        else { return nil }
        return CInt(byte)
    }

    /// Waits until `descriptor` is readable (true) or the deadline has passed (false); nil waits for the deadline
    /// alone.
    ///
    /// Throws `interrupted` with the signal, or `cancelled`, if that comes first.
    func wait(for descriptor: CInt?, until deadline: UInt64) throws(ControlError) -> Bool {
        while true {
            let now = Clock.now
            let left = now < deadline ? min((deadline - now + 999_999) / 1_000_000, 60_000) : 0
            let ready = try? Syscall.poll(
                [(descriptor ?? -1, Syscall.pollIn), (pipe.read.rawValue, Syscall.pollIn)],
                timeoutMilliseconds: CInt(left))
            if isCancelled.load(ordering: .sequentiallyConsistent) { throw .cancelled }
            if let signal = takeSignal() { throw .interrupted(by: signal) }
            // A descriptor that cannot be polled is reported by the read that follows.
            guard let ready else { return true }
            if ready[0] != 0 { return true }
            if left == 0 { return false }
        }
    }
}

extension ControlError {
    static let cancelled = ControlError(
        code: .cancelled, message: "the wait was cancelled; the server goes on",
        exitCode: .unchanged)

    static func interrupted(by signal: CInt) -> ControlError {
        ControlError(code: .interrupted, message: "\(signal)", exitCode: .unchanged)
    }

    /// The signal that ended the wait; nil: the error has another cause.
    var signal: CInt? { code == .interrupted ? CInt(message) : nil }
}
