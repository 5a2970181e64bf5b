// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore
import Succession
import SuccessionSystem
import SystemPackage

/// Keeps a channel from reading while it is another generation's turn.
///
/// It sits at the head of the pipeline. Turning `autoRead` off ends the reads that the channel asks
/// for by itself; handlers ask too (one that backs off after an error does so from a timer), and
/// theirs end here. Used on the channel's event loop.
class ReadGate: ChannelOutboundHandler {
    typealias OutboundIn = Never

    let listener: Listener
    private var isOpen = false
    /// For the moment nothing is read, although it is this generation's turn.
    private(set) var isHeld = false

    init(_ listener: Listener) {
        self.listener = listener
    }

    func read(context: ChannelHandlerContext) {
        guard isOpen, !isHeld else { return }
        keepFromBlocking()
        context.read()
    }

    func open(_ channel: any Channel) throws {
        isOpen = true
        keepFromBlocking()
        if !isHeld { try setAutoRead(channel, true) }
    }

    /// Once this has returned nothing more is read; what was read before has gone through the
    /// pipeline.
    func close(_ channel: any Channel) throws {
        isOpen = false
        // A channel that the application has closed reads nothing either.
        if channel.isActive { try setAutoRead(channel, false) }
    }

    /// Reads nothing until ``letGo(_:)``, also while this generation accepts.
    ///
    /// The channel is still registered for the read that has failed: only `autoRead` takes that back.
    func hold(_ channel: any Channel) {
        isHeld = true
        if channel.isActive { try? setAutoRead(channel, false) }
    }

    func letGo(_ channel: any Channel) {
        isHeld = false
        if isOpen, channel.isActive { try? setAutoRead(channel, true) }
    }

    /// O_NONBLOCK is shared with every process that has the socket, and any of them may have cleared
    /// it: NIO reads until there is nothing more, and the event loop would wait there.
    func keepFromBlocking() {
        listener.withUnsafeDescriptor { try? Syscall.setNonBlocking($0.rawValue, true) }
    }

    private func setAutoRead(_ channel: any Channel, _ isOn: Bool) throws {
        guard let options = channel.syncOptions else { throw ChannelError.operationUnsupported }
        try options.setOption(.autoRead, value: isOn)
    }
}

/// A read gate for datagrams and pipes: NIO reads several in a row.
final class InputGate: ReadGate, ChannelInboundHandler {
    typealias InboundIn = Any

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Before the next read of the same row.
        keepFromBlocking()
        context.fireChannelRead(data)
    }
}
#endif
