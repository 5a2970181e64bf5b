// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// Ends the waits of one call when its task is cancelled.
final class Cancellation: Sendable {
    private let pipe: (read: OwnedDescriptor, write: OwnedDescriptor)

    init() throws(Errno) {
        pipe = try Syscall.pipe(nonBlocking: true)
    }

    /// Ends the current wait and every later one.
    func cancel() {
        // End-of-file stays.
        pipe.write.close()
    }

    /// Waits until one of the descriptors is readable (true) or the time has passed (false).
    ///
    /// Throws `cancelled`.
    func wait(
        for descriptors: [CInt], until deadline: UInt64
    ) throws(TestUpgradeError) -> Bool {
        let now = Syscall.monotonicNanoseconds()
        let left = deadline > now ? (min(deadline - now, 60_000_000_000) + 999_999) / 1_000_000 : 0
        let ready: [CShort]
        do {
            ready = try Syscall.poll(
                ([pipe.read.rawValue] + descriptors).map { ($0, Syscall.pollIn) },
                timeoutMilliseconds: CInt(left))
        } catch {
            throw .system("cannot wait", error)
        }
        if ready[0] != 0 { throw .cancelled }
        return ready.dropFirst().contains { $0 != 0 }
    }
}

/// Runs a blocking call on a thread of its own: the threads of Swift's concurrency are not for waiting.
///
/// The call must wait by ``Cancellation/wait(for:until:)`` alone.
func onOwnThread<Value: Sendable>(
    _ call: @escaping @Sendable (Cancellation) throws(TestUpgradeError) -> Value
) async throws(TestUpgradeError) -> Value {
    let cancellation: Cancellation
    do {
        cancellation = try Cancellation()
    } catch {
        throw .system("cannot create a pipe", error)
    }
    let result = await withTaskCancellationHandler {
        await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Value, TestUpgradeError>, Never>) in
            do throws(Errno) {
                try startThread(name: "testkit") {
                    SignalRelay.blockAllInThisThread()
                    continuation.resume(
                        returning: Result { () throws(TestUpgradeError) in
                            try call(cancellation)
                        })
                }
            } catch {
                continuation.resume(returning: .failure(.system("cannot start a thread", error)))
            }
        }
    } onCancel: {
        cancellation.cancel()
    }
    return try result.get()
}
