// SPDX-License-Identifier: Apache-2.0

#if NIO
public import NIOCore
public import Succession

/// Ends a connection so that the other side gets everything that was written.
///
/// A socket that is closed with unread data resets its connection, and what is under way is lost.
/// So it is half-closed first, and closed when the other side has closed or after a while; what
/// comes until then is to be read and dropped. From the moment at which it is half-closed the
/// connection is settled: the deadline of a drain closes it too, and does not count it as cut.
///
/// Used on the event loop.
public final class LingeringClose {
    private let time: TimeAmount
    private var scheduled: Scheduled<Void>?

    /// - Parameter time: how long the other side may take to close its end.
    public init(_ time: TimeAmount) {
        self.time = time
    }

    /// Half-closes, behind everything that was written.
    ///
    /// - Parameter owes: whether something may have been written that the other side has asked for.
    ///   If not, the half-close is not waited for: TLS does not come to it before its handshake.
    /// - Parameter waits: whether the other side has not closed its end yet.
    public func begin(
        _ context: ChannelHandlerContext, _ entry: ConnectionRegistry.Entry?, owes: Bool = true,
        waits: Bool = true
    ) {
        guard context.channel.isActive else { return }
        if !owes { wait(context, entry) }
        let halfClosed = context.eventLoop.makePromise(of: Void.self)
        context.close(mode: .output, promise: halfClosed)
        halfClosed.futureResult.assumeIsolated().whenComplete { [self] result in
            guard case .success = result, context.channel.isActive else {
                return context.close(promise: nil)
            }
            guard waits else { return context.channel.cut() }
            wait(context, entry)
        }
    }

    /// Gives the other side its time when the connection has been half-closed.
    func wait(_ context: ChannelHandlerContext, _ entry: ConnectionRegistry.Entry?) {
        entry?.settled()
        if scheduled != nil { return }
        scheduled = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            // Not by way of TLS, which would wait for the other side once more.
            context.channel.cut()
        }
    }

    /// To be called when the connection is closed or the handler goes.
    public func cancel() {
        scheduled?.cancel()
    }
}
#endif
