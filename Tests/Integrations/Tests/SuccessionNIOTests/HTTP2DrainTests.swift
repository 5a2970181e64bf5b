// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOPosix
import Succession
import SuccessionNIO
import Testing

/// The order of frames by which an HTTP/2 connection ends, seen from a client that writes them
/// itself.
@Suite(.timeLimit(.minutes(1))) struct HTTP2DrainTests {
    private func start(
        patience: DrainMoment = .deadline, linger: TimeAmount = .seconds(2), preface: Bool = true
    ) async throws -> (TestServer, TestClient) {
        let server = try await TestServer { channel, generation in
            try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(
                HTTP2DrainHandler(generation, waits: patience, lingerTime: linger))
            try pipeline.addHandler(FakeHTTP2())
        }
        let client = try server.connect()
        if preface {
            try client.write(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Wire.settings)
        }
        #expect(try client.read(Wire.settings.count) == Wire.settings)
        return (server, client)
    }

    /// Returns the PING that comes after a GOAWAY that refuses nothing.
    private func announcement(to client: TestClient) throws -> [UInt8] {
        #expect(try client.read(17) == Wire.goAway(lastStream: 0x7fff_ffff))
        let ping = try client.read(17)
        #expect(ping.prefix(9) == [0, 0, 8, 6, 0, 0, 0, 0, 0])
        return Array(ping.suffix(8))
    }

    @Test func idleConnection_whenDraining_isToldTwiceAndClosed() async throws {
        let (server, client) = try await start()
        await server.generation.drain(deadline: .seconds(20))
        let data = try announcement(to: client)
        try client.write(Wire.acknowledgement(data))
        #expect(try client.read(17) == Wire.goAway(lastStream: 0))
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }

    /// swift-nio-http2#466: a stream that crosses with the first GOAWAY.
    @Test(arguments: [1, 100])
    func streamOpened_beforeTheClientHasHeard_isAnswered(pieces: Int) async throws {
        let (server, client) = try await start()
        await server.generation.drain(deadline: .seconds(20))
        let data = try announcement(to: client)
        for stream: UInt8 in [1, 3] {
            let request = Wire.headers(stream, ends: true)
            let size = max(1, request.count / pieces)
            for start in stride(from: 0, to: request.count, by: size) {
                try client.write(Array(request[start..<min(start + size, request.count)]))
            }
            #expect(try client.read(10) == Wire.headers(stream, ends: true))
        }
        try client.write(Wire.acknowledgement(data))
        #expect(try client.read(17) == Wire.goAway(lastStream: 3))
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }

    /// grpc-core writes streams behind its acknowledgement: one that is answered must not be named as
    /// unseen, for the client would repeat it.
    @Test func streamOpened_behindTheAcknowledgement_isAnsweredAndNotRefused() async throws {
        let (server, client) = try await start()
        try client.write(Wire.headers(5, ends: false))
        #expect(try client.read(10) == Wire.headers(5, ends: true))
        await server.generation.drain(deadline: .seconds(20))
        let data = try announcement(to: client)
        try client.write(Wire.acknowledgement(data))
        #expect(client.isSilent(for: 200))
        try client.write(Wire.headers(11, ends: true))
        #expect(try client.read(10) == Wire.headers(11, ends: true))
        try client.write([0, 0, 0, 0, 1, 0, 0, 0, 5])
        #expect(try client.read(17) == Wire.goAway(lastStream: 11))
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }

    /// Between HEADERS and CONTINUATION no other frame may stand (RFC 9113 §6.10).
    @Test func headerBlock_inTheMiddle_isNotInterrupted() async throws {
        let (server, client) = try await start()
        try client.write(Wire.headers(FakeHTTP2.unfinished, ends: true))
        let beginning = try client.read(10)
        #expect(beginning[4] & 0x4 == 0)
        await server.generation.drain(deadline: .seconds(20))
        #expect(client.isSilent(for: 200))
        try client.write(Wire.headers(FakeHTTP2.finishing, ends: true))
        #expect(try client.read(10) == [0, 0, 1, 9, 4, 0, 0, 0, FakeHTTP2.unfinished, 0x88])
        _ = try announcement(to: client)
        _ = await server.stop(atOnce: true)
    }

    /// The kernel sends file regions past the handler.
    @Test func answer_fromAFile_isFollowedByTheClose() async throws {
        let (server, client) = try await start()
        try client.write(Wire.headers(FakeHTTP2.fromFile, ends: true))
        let answer =
            Wire.headers(FakeHTTP2.fromFile, ends: false)
            + [0, 0, 20, 0, 1, 0, 0, 0, FakeHTTP2.fromFile] + FakeHTTP2.content
        #expect(try client.read(answer.count) == answer)
        await server.generation.drain(deadline: .seconds(20))
        try client.write(Wire.acknowledgement(announcement(to: client)))
        #expect(try client.read(17) == Wire.goAway(lastStream: UInt32(FakeHTTP2.fromFile)))
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }

    /// A GOAWAY may not raise the last stream of an earlier one (RFC 9113 §6.8): time-outs of the
    /// implementation send theirs when they like.
    ///
    /// Such a connection ends when the streams that were not refused are over, whether the client
    /// acknowledges or not.
    @Test(arguments: [true, false], [true, false])
    func connection_thatTheImplementationHasEnded_isClosedWithItsLastStream(
        beforeTheDrain: Bool, streamIsOpen: Bool
    ) async throws {
        let (server, client) = try await start()
        if !beforeTheDrain {
            await server.generation.drain(deadline: .seconds(20))
            _ = try announcement(to: client)
        }
        if streamIsOpen {
            try client.write(Wire.headers(5, ends: false))
            #expect(try client.read(10) == Wire.headers(5, ends: true))
        }
        try client.write(Wire.headers(FakeHTTP2.leaving, ends: true))
        #expect(try client.read(10) == Wire.headers(FakeHTTP2.leaving, ends: true))
        #expect(try client.read(17) == Wire.goAway(lastStream: UInt32(FakeHTTP2.leaving)))
        if beforeTheDrain { await server.generation.drain(deadline: .seconds(20)) }
        if streamIsOpen {
            // It is refused: the drain does not wait for it.
            try client.write(Wire.headers(FakeHTTP2.silent, ends: false))
            #expect(client.isSilent(for: 300))
            try client.write([0, 0, 0, 0, 1, 0, 0, 0, 5])
        }
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }

    /// A first GOAWAY that refuses nothing is one like this handler's own: streams cross with it.
    @Test func connection_thatTheImplementationHasAnnounced_isToldTheRest() async throws {
        let (server, client) = try await start()
        try client.write(Wire.headers(FakeHTTP2.announcing, ends: true))
        #expect(try client.read(10) == Wire.headers(FakeHTTP2.announcing, ends: true))
        #expect(try client.read(17) == Wire.goAway(lastStream: 0x7fff_ffff))
        await server.generation.drain(deadline: .seconds(20))
        let ping = try client.read(17)
        #expect(ping.prefix(9) == [0, 0, 8, 6, 0, 0, 0, 0, 0])
        try client.write(Wire.headers(27, ends: true))
        #expect(try client.read(10) == Wire.headers(27, ends: true))
        try client.write(Wire.acknowledgement(Array(ping.suffix(8))))
        #expect(try client.read(17) == Wire.goAway(lastStream: 27))
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }

    @Test func stream_thatIsOpenAtTheDeadline_isCut() async throws {
        let (server, client) = try await start(patience: .spread(0.5...0.5))
        // Answered behind it: so it has been read.
        try client.write(
            Wire.headers(FakeHTTP2.silent, ends: true) + Wire.headers(23, ends: true))
        #expect(try client.read(10) == Wire.headers(23, ends: true))
        await server.generation.drain(deadline: .milliseconds(300))
        try client.write(Wire.acknowledgement(announcement(to: client)))
        try client.expectEnd()
        #expect(await server.stop() == 1)
    }

    /// The second GOAWAY allows a client to repeat what crosses with it.
    @Test func client_thatNeverAcknowledges_isClosedInTheSecondHalf() async throws {
        let (server, client) = try await start(patience: .spread(0.5...0.5))
        try client.write(Wire.headers(3, ends: true))
        #expect(try client.read(10) == Wire.headers(3, ends: true))
        await server.generation.drain(deadline: .seconds(2))
        _ = try announcement(to: client)
        #expect(try client.read(17) == Wire.goAway(lastStream: 3))
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }

    @Test func client_withoutAPreface_isClosedInTheSecondHalf() async throws {
        let (server, client) = try await start(patience: .spread(0.5...0.5), preface: false)
        await server.generation.drain(deadline: .seconds(2))
        _ = try announcement(to: client)
        #expect(try client.read(17) == Wire.goAway(lastStream: 0))
        try client.expectEnd()
        #expect(await server.stop() == 0)
    }

    /// A client that has been sent everything and does not read it is not cut.
    @Test func connection_thatLingers_isNotCut() async throws {
        let (server, client) = try await start(linger: .seconds(60))
        await server.generation.drain(deadline: .seconds(1))
        try client.write(Wire.acknowledgement(announcement(to: client)))
        #expect(await server.stop() == 0)
        #expect(try client.read(17) == Wire.goAway(lastStream: 0))
    }

    /// SwiftNIO's default is to close when it reads the end.
    @Test func client_thatShutsDownWriting_isAnswered() async throws {
        let (server, client) = try await start()
        try client.write(Wire.headers(FakeHTTP2.late, ends: true))
        client.shutDownWriting()
        #expect(try client.read(10) == Wire.headers(FakeHTTP2.late, ends: true))
        try client.expectEnd()
        await server.connectionEnded()
        #expect(await server.stop(atOnce: true) == 0)
    }
}

/// Frames, written by hand.
enum Wire {
    static let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]

    static func goAway(lastStream: UInt32) -> [UInt8] {
        [0, 0, 8, 7, 0, 0, 0, 0, 0] + withUnsafeBytes(of: lastStream.bigEndian) { Array($0) }
            + [0, 0, 0, 0]
    }

    static func acknowledgement(_ data: [UInt8]) -> [UInt8] { [0, 0, 8, 6, 1, 0, 0, 0, 0] + data }

    /// One byte of headers: `:status: 200`, or whatever the index means to the other side.
    static func headers(_ stream: UInt8, ends: Bool) -> [UInt8] {
        [0, 0, 1, 1, ends ? 5 : 4, 0, 0, 0, stream, 0x88]
    }
}

/// Answers each HEADERS frame with one that ends the stream; looks at nothing else.
private final class FakeHTTP2: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A stream whose answer lacks its last part, until this other one is asked for.
    static let unfinished: UInt8 = 7
    static let finishing: UInt8 = 9

    /// A stream with whose answer it says goodbye, and one by which it closes.
    static let leaving: UInt8 = 13
    static let closing: UInt8 = 15

    /// A stream that is not answered, one that is answered late, and one with whose answer it says
    /// goodbye and refuses nothing.
    static let silent: UInt8 = 19
    static let late: UInt8 = 21
    static let announcing: UInt8 = 25

    /// A stream with whose answer a file is sent, and what is in it.
    static let fromFile: UInt8 = 17
    static let content = [UInt8](repeating: 7, count: 20)

    private var bytes = ByteBuffer()

    func channelActive(context: ChannelHandlerContext) {
        send(Wire.settings, context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes.writeImmutableBuffer(unwrapInboundIn(data))
        if bytes.readerIndex == 0, bytes.readableBytes >= 24 {
            bytes.moveReaderIndex(forwardBy: 24)
        }
        while bytes.readerIndex > 0,
            let header = bytes.getBytes(at: bytes.readerIndex, length: 9),
            bytes.readableBytes >= 9 + Int(header[2])
        {
            bytes.moveReaderIndex(forwardBy: 9 + Int(header[2]))
            guard header[3] == 1 else { continue }
            switch header[8] {
            case Self.unfinished: send([0, 0, 1, 1, 1, 0, 0, 0, Self.unfinished, 0x88], context)
            case Self.finishing: send([0, 0, 1, 9, 4, 0, 0, 0, Self.unfinished, 0x88], context)
            case Self.leaving:
                let goAway = Wire.goAway(lastStream: UInt32(Self.leaving))
                send(Wire.headers(Self.leaving, ends: true) + goAway, context)
            case Self.fromFile:
                send(Wire.headers(Self.fromFile, ends: false), context)
                send([0, 0, 20, 0, 1, 0, 0, 0, Self.fromFile], context)
                sendFile(context)
            case Self.closing: context.close(promise: nil)
            case Self.silent: break
            case Self.late:
                context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(100)) { [self] in
                    send(Wire.headers(Self.late, ends: true), context)
                }
            case Self.announcing:
                let goAway = Wire.goAway(lastStream: 0x7fff_ffff)
                send(Wire.headers(Self.announcing, ends: true) + goAway, context)
            default: send(Wire.headers(header[8], ends: true), context)
            }
        }
    }

    private func sendFile(_ context: ChannelHandlerContext) {
        let path = NSTemporaryDirectory() + "succession-nio-\(UInt32.random(in: 0 ... .max))"
        _ = FileManager.default.createFile(atPath: path, contents: Data(Self.content))
        defer { try? FileManager.default.removeItem(atPath: path) }
        guard let file = try? NIOFileHandle(_deprecatedPath: path) else {
            return context.close(promise: nil)
        }
        let region = FileRegion(fileHandle: file, readerIndex: 0, endIndex: Self.content.count)
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in try? file.close() }
        context.writeAndFlush(NIOAny(region), promise: written)
    }

    private func send(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        // An implementation may give a promise of any event loop.
        let written = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: written)
    }
}
