// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore
import Succession
import SuccessionSystem
import SystemPackage

/// At the head of a server channel's pipeline: lets connections be taken when it is this
/// generation's turn and there are descriptors, and counts each from that moment until it is closed.
///
/// One handler and not two: of each type of handler the first in a process takes long to add, and
/// a successor adds these while its predecessor waits.
final class CountingGate: ReadGate, ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    /// So many connections are taken without a look at the table of descriptors, as long as it was
    /// never full.
    private static let unseen = 8

    private let connections: ConnectionRegistry
    private let proto: String
    private let setups: PendingSetups
    private var backOff = AcceptBackOff()
    private var sinceLook = 0
    private var isOneByOne = false
    private var alarm: (task: Scheduled<Void>, hook: UInt64)?
    private var lastError: (any Error)?
    /// Somebody has closed the channel on purpose.
    private var isClosing = false
    /// Called when NIO has closed the channel, with the error for which it did.
    var whenLost: ((any Error)?) -> Void = { _ in }

    init(
        _ listener: Listener, _ connections: ConnectionRegistry, protocol proto: String,
        setups: PendingSetups
    ) {
        self.connections = connections
        self.proto = proto
        self.setups = setups
        super.init(listener)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Before the next accept of the same row.
        keepFromBlocking()
        backOff.succeeded()
        let connection = unwrapInboundIn(data)
        let id = ObjectIdentifier(connection)
        setups.began(id)
        let entry = connections.register(connection, protocol: proto)
        connection.closeFuture.whenComplete { [setups] _ in
            entry.close()
            setups.ended(id)
        }
        // Comes before the initialiser, which the same event loop runs. It fails only if the
        // connection is gone.
        let watch = { @Sendable [setups] in
            let counted = CountedConnection(entry) {
                // NIO registers a connection when its initialiser has finished; from there on it no
                // longer depends on its server channel.
                setups.ended(id)
            }
            try? counted.watch(connection)
        }
        if connection.eventLoop.inEventLoop { watch() } else { connection.eventLoop.execute(watch) }
        context.fireChannelRead(data)
        if !hasRoom() { waitForRoom(context, .tooManyOpenFiles) }
    }

    // MARK: Descriptors that are used up, and other errors of accept(2)

    private func hasRoom() -> Bool {
        sinceLook += 1
        let isThorough = isOneByOne || sinceLook >= Self.unseen
        if isThorough { sinceLook = 0 }
        return listener.withUnsafeDescriptor {
            DescriptorReserve.shared.hasRoom(probing: $0.rawValue, thoroughly: isThorough)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        lastError = error
        let errno = (error as? IOError).map { Errno(rawValue: $0.errnoCode) }
        guard let errno, Self.isSurvived(errno) else { return context.fireErrorCaught(error) }
        // Goes no further: to an asynchronous server channel an error is the end.
        if errno == .tooManyOpenFiles { DescriptorReserve.shared.ranOut() }
        switch backOff.decide(on: errno) {
        case .again: break
        case .untilRoom: waitForRoom(context, errno)
        case .pause(let time):
            if backOff.isNews { listener.tellTrouble(errno) }
            hold(context, for: TimeAmount(time))
        case .giveUp: context.fireErrorCaught(error)
        }
    }

    /// For any other error NIO closes the channel.
    private static func isSurvived(_ errno: Errno) -> Bool {
        switch errno {
        case .connectionAbort, .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace,
            .noMemory:
            true
        default: false
        }
    }

    /// Until a connection is closed, here or by another listener of the generation, or for a moment:
    /// others close descriptors too.
    private func waitForRoom(_ context: ChannelHandlerContext, _ errno: Errno) {
        guard alarm == nil else { return }
        listener.tellTrouble(errno)
        takeOneByOne(context.channel)
        hold(context, for: TimeAmount(AcceptBackOff.roomPause))
    }

    /// Several in a row would be taken before this handler is asked again.
    private func takeOneByOne(_ channel: any Channel) {
        guard !isOneByOne else { return }
        isOneByOne = true
        try? channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
    }

    private func hold(_ context: ChannelHandlerContext, for time: TimeAmount) {
        guard alarm == nil else { return }
        hold(context.channel)
        let bound = NIOLoopBound((gate: self, context: context), eventLoop: context.eventLoop)
        let hook = connections.onNextClose { [eventLoop = context.eventLoop] in
            eventLoop.execute { bound.value.gate.lookAgain(bound.value.context) }
        }
        let task = context.eventLoop.scheduleTask(in: time) {
            bound.value.gate.lookAgain(bound.value.context)
        }
        alarm = (task, hook)
    }

    private func lookAgain(_ context: ChannelHandlerContext) {
        guard endAlarm() else { return }
        if isOneByOne, !hasRoom() { return hold(context, for: TimeAmount(AcceptBackOff.roomPause)) }
        letGo(context.channel)
    }

    private func endAlarm() -> Bool {
        guard let alarm else { return false }
        alarm.task.cancel()
        connections.forgetClose(alarm.hook)
        self.alarm = nil
        return true
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        isClosing = true
        context.close(mode: mode, promise: promise)
    }

    func channelInactive(context: ChannelHandlerContext) {
        _ = endAlarm()
        context.fireChannelInactive()
        if !isClosing { whenLost(lastError) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        _ = endAlarm()
    }
}
#endif
