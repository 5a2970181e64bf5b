// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOCore
import NIOWebSocket
import Synchronization

/// Who is there.
final class Room: Sendable {
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

    func enter(_ channel: any Channel) {
        channels.withLock { $0[ObjectIdentifier(channel)] = channel }
    }

    func leave(_ channel: any Channel) {
        channels.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    func tellAll(_ text: String) {
        for channel in channels.withLock({ Array($0.values) }) { _ = tell(text, channel) }
    }

    @discardableResult
    func tell(_ text: String, _ channel: any Channel) -> EventLoopFuture<Void> {
        channel.writeAndFlush(
            WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: text)))
    }
}

/// One of them.
///
/// The first it hears is the generation.
final class Participant: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private let room: Room

    init(_ room: Room) {
        self.room = room
    }

    func handlerAdded(context: ChannelHandlerContext) {
        room.tell("gen=\(getpid())", context.channel)
        room.enter(context.channel)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        room.leave(context.channel)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .text:
            room.tellAll(String(buffer: frame.unmaskedData))
        case .ping:
            answer(.pong, frame, context)
        case .connectionClose:
            answer(.connectionClose, frame, context).assumeIsolated().whenComplete { _ in
                context.close(promise: nil)
            }
        default: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    @discardableResult
    private func answer(
        _ opcode: WebSocketOpcode, _ frame: WebSocketFrame, _ context: ChannelHandlerContext
    ) -> EventLoopFuture<Void> {
        let answer = WebSocketFrame(fin: true, opcode: opcode, data: frame.unmaskedData)
        return context.writeAndFlush(wrapOutboundOut(answer))
    }
}
