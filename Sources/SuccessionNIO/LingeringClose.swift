// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore

/// Ends a connection so that the other side gets everything that was written.
///
/// A socket that is closed with unread data resets its connection, and what is under way is lost.
/// So it is half-closed first, and closed when the other side has closed or after a while; what
/// comes until then is to be read and dropped. Used on the event loop.
final class LingeringClose {
    private let time: TimeAmount
    private var scheduled: Scheduled<Void>?

    init(_ time: TimeAmount) {
        self.time = time
    }

    func begin(_ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        let halfClosed = context.eventLoop.makePromise(of: Void.self)
        context.close(mode: .output, promise: halfClosed)
        halfClosed.futureResult.assumeIsolated().whenComplete { [self] result in
            guard case .success = result, context.channel.isActive else {
                return context.close(promise: nil)
            }
            scheduled = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
                context.close(promise: nil)
            }
        }
    }

    /// To be called when the connection is closed or the handler goes.
    func cancel() {
        scheduled?.cancel()
    }
}
#endif
