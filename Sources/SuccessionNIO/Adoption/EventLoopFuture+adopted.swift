// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore

extension EventLoopFuture<any Channel> {
    /// Waits for a channel and what `fit` makes of it on its event loop; the channel is closed if
    /// that fails.
    func adopted<Fitted: Sendable>(
        _ fit: @escaping @Sendable (any Channel) throws -> Fitted
    ) async throws -> (any Channel, Fitted) {
        try await flatMapThrowing { channel in
            do {
                return (channel, try fit(channel))
            } catch {
                channel.close(promise: nil)
                throw error
            }
        }.get()
    }
}
#endif
