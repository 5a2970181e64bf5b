// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import NIOHTTP2
import SuccessionGRPC

/// The server's side of a connection with a farewell, whose client is the test.
struct Connection {
    struct Frame {
        enum Kind: UInt8 {
            case headers = 1
            case settings = 4
            case ping = 6
            case goAway = 7
        }

        var kind: Kind?
        var payload: [UInt8]
    }

    let channel = EmbeddedChannel()
    let farewell = FarewellHandler()
    let recorder = Recorder()

    init() throws {
        try channel.pipeline.syncOperations.addHandlers([
            NIOHTTP2Handler(mode: .server), farewell, recorder,
        ])
    }

    func connect() throws {
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    /// Connects, and both sides have said their settings.
    func open() throws {
        try connect()
        try channel.writeInbound(ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
        try receive(.settings, stream: 0)
        _ = try written()
    }

    func sayFarewell() {
        channel.pipeline.fireUserInboundEventTriggered(Farewell())
    }

    func endPatience() {
        channel.pipeline.fireUserInboundEventTriggered(EndOfPatience())
    }

    /// Answers the ping that was written.
    func acknowledge() throws {
        let ping = try written().last { $0.kind == .ping }
        try receive(.ping, flags: 1, stream: 0, payload: ping?.payload ?? [])
    }

    /// Headers are the least that is a request.
    func receive(_ kind: Frame.Kind, stream: UInt32) throws {
        let path: [UInt8] = [0x83, 0x86, 0x84, 0x41, 1, 0x78]  // RFC 7541 §6: POST http / x
        try receive(
            kind, flags: kind == .headers ? 4 : 0, stream: stream,
            payload: kind == .headers ? path : [])
    }

    private func receive(
        _ kind: Frame.Kind, flags: UInt8, stream: UInt32, payload: [UInt8]
    ) throws {
        var frame = ByteBuffer(bytes: [0, 0, UInt8(payload.count), kind.rawValue, flags])
        frame.writeInteger(stream)
        frame.writeBytes(payload)
        try channel.writeInbound(frame)
    }

    func pass(_ time: TimeAmount) {
        channel.embeddedEventLoop.advanceTime(by: time)
    }

    /// The frames that were written since the last look.
    func written() throws -> [Frame] {
        var bytes = ByteBuffer()
        while let next = try channel.readOutbound(as: IOData.self) {
            if case .byteBuffer(var part) = next { bytes.writeBuffer(&part) }
        }
        var frames: [Frame] = []
        while let head = bytes.readBytes(length: 9) {
            let payload = bytes.readBytes(length: Int(head[1]) << 8 | Int(head[2])) ?? []
            frames.append(Frame(kind: Frame.Kind(rawValue: head[3]), payload: payload))
        }
        return frames
    }
}

/// In gRPC's place behind the farewell.
final class Recorder: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    private(set) var streams: [Int] = []
    private(set) var isToEnd = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        if case .headers = frame.payload { streams.append(Int(frame.streamID)) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent { isToEnd = true }
    }
}
