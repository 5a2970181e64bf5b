// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Sends each datagram back with the generation in front.
final class DatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let prefix: String

    init(generationID: String) {
        prefix = "gen=\(generationID) "
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let datagram = unwrapInboundIn(data)
        var answer = context.channel.allocator.buffer(
            capacity: prefix.utf8.count + datagram.data.readableBytes)
        answer.writeString(prefix)
        answer.writeImmutableBuffer(datagram.data)
        let envelope = AddressedEnvelope(remoteAddress: datagram.remoteAddress, data: answer)
        context.write(wrapOutboundOut(envelope), promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Of one datagram: a client that has gone. The others are to be answered.
    }
}
