// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore

extension Channel {
    /// Closes without asking the handlers: TLS would wait for the other end to agree, for longer
    /// than a generation whose deadline has passed may live.
    func cut() {
        eventLoop.execute {
            do {
                try self.pipeline.syncOperations.addHandler(CutHandler(), position: .first)
            } catch {
                // Closed by now.
                self.close(promise: nil)
            }
        }
    }
}

/// Between the network and all other handlers, from where it closes.
private final class CutHandler: ChannelInboundHandler {
    typealias InboundIn = Never

    func handlerAdded(context: ChannelHandlerContext) {
        context.close(promise: nil)
    }
}
#endif
