// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore

extension EventLoopFuture where Value: Sendable {
    /// Like `get()`, but the task goes on where it was and not by way of another thread, for which
    /// a hand-over would wait each time.
    func getWithoutHop() async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            whenComplete { continuation.resume(with: $0) }
        }
    }
}
#endif
