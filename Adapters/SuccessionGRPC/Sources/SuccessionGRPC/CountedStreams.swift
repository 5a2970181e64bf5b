// SPDX-License-Identifier: Apache-2.0

import GRPCNIOTransportHTTP2Posix
import NIOCore

extension HTTP2ServerTransport.Config.ChannelDebuggingCallbacks {
    /// The same callbacks, and each stream is made known to its connection's farewell.
    static func countingStreams(_ callbacks: Self) -> Self {
        var counting = callbacks
        counting.onAcceptHTTP2Stream = { stream in
            // A stream's channel is on the event loop of its connection. A connection that has been
            // closed meanwhile has no handlers any more.
            try? stream.parent?.pipeline.syncOperations.handler(type: FarewellHandler.self)
                .opened(stream)
            return callbacks.onAcceptHTTP2Stream?(stream)
                ?? stream.eventLoop.makeSucceededVoidFuture()
        }
        return counting
    }
}
