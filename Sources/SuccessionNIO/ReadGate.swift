// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore

/// Keeps a channel from reading while it is another generation's turn.
///
/// It sits at the head of the pipeline. Turning `autoRead` off ends the reads that the channel asks
/// for by itself; handlers ask too (one that backs off after an error does so from a timer), and
/// theirs end here. Used on the channel's event loop.
class ReadGate: ChannelOutboundHandler {
    typealias OutboundIn = Never

    private var isOpen = false

    func read(context: ChannelHandlerContext) {
        if isOpen { context.read() }
    }

    func open(_ channel: any Channel) throws {
        isOpen = true
        try setAutoRead(channel, true)
    }

    /// Once this has returned nothing more is read; what was read before has gone through the
    /// pipeline.
    func close(_ channel: any Channel) throws {
        isOpen = false
        // A channel that the application has closed reads nothing either.
        if channel.isActive { try setAutoRead(channel, false) }
    }

    private func setAutoRead(_ channel: any Channel, _ isOn: Bool) throws {
        guard let options = channel.syncOptions else { throw ChannelError.operationUnsupported }
        try options.setOption(.autoRead, value: isOn)
    }
}
#endif
