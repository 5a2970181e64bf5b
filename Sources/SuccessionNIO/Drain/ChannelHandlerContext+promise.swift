// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore

extension ChannelHandlerContext {
    /// A promise for a write that somebody else wants to know the end of, too: calls `then` on this
    /// event loop, and tells theirs, which may belong to another one.
    func promise(
        for promise: EventLoopPromise<Void>?, then: @escaping () -> Void
    ) -> EventLoopPromise<Void> {
        let own = eventLoop.makePromise(of: Void.self)
        own.futureResult.cascade(to: promise)
        own.futureResult.assumeIsolated().whenComplete { _ in then() }
        return own
    }
}
#endif
