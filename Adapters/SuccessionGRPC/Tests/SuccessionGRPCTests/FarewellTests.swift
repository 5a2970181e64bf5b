// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import NIOHTTP2
import SuccessionGRPC
import Testing

@Suite struct FarewellTests {
    @Test func farewell_whenActive_refusesNothingAndAsksWhetherItWasRead() throws {
        let connection = try Connection()
        try connection.open()
        connection.sayFarewell()
        let frames = try connection.written()
        #expect(frames.map(\.kind) == [.goAway, .ping])
        #expect(frames.first?.payload == [0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
    }

    @Test func farewell_beforeTheConnectionIsActive_comesBehindTheSettings() throws {
        let connection = try Connection()
        connection.sayFarewell()
        #expect(try connection.written().isEmpty)
        try connection.connect()
        #expect(try connection.written().map(\.kind) == [.settings, .goAway, .ping])
    }

    @Test func streams_whenTheyCrossWithTheFarewell_areAccepted() throws {
        let connection = try Connection()
        try connection.open()
        connection.sayFarewell()
        _ = try connection.written()
        try connection.receive(.headers, stream: 1)
        try connection.receive(.headers, stream: 3)
        #expect(connection.recorder.streams == [1, 3])
        #expect(try connection.written().isEmpty)
    }

    @Test func connection_whenItHasBeenIdleLongEnough_isEndedByGRPC() throws {
        let connection = try Connection()
        try connection.open()
        connection.sayFarewell()
        try connection.acknowledge()
        connection.pass(.milliseconds(1_999))
        #expect(!connection.recorder.isToEnd)
        connection.pass(.milliseconds(1))
        #expect(connection.recorder.isToEnd)
    }

    @Test func connection_whenAStreamComesBehindTheAnswer_isEndedAfterThat() throws {
        let connection = try Connection()
        try connection.open()
        connection.sayFarewell()
        try connection.acknowledge()
        connection.pass(.seconds(1))
        let stream = EmbeddedChannel(loop: connection.channel.embeddedEventLoop)
        connection.farewell.opened(stream)
        connection.pass(.seconds(60))
        #expect(!connection.recorder.isToEnd)
        try stream.close().wait()
        connection.pass(.milliseconds(1_999))
        #expect(!connection.recorder.isToEnd)
        connection.pass(.milliseconds(1))
        #expect(connection.recorder.isToEnd)
    }

    /// In the second half of the drain; the second GOAWAY lets it repeat what crosses with that.
    @Test(arguments: [true, false])
    func connection_whoseClientDoesNotAnswer_isToldItsLastStreamAndClosed(
        hasBegun: Bool
    ) throws {
        let connection = try Connection()
        if hasBegun { try connection.open() } else { try connection.connect() }
        if hasBegun { try connection.receive(.headers, stream: 5) }
        connection.sayFarewell()
        connection.pass(.hours(1))
        _ = try connection.written()
        #expect(connection.channel.isActive)
        connection.endPatience()
        let frames = try connection.written()
        #expect(frames.first?.kind == .goAway)
        #expect(frames.first?.payload == [0, 0, 0, hasBegun ? 5 : 0, 0, 0, 0, 0])
        #expect(!connection.channel.isActive)
    }

    @Test func connection_whoseClientDoesNotAnswer_isServedUntilItsStreamsAreOver() throws {
        let connection = try Connection()
        try connection.open()
        let stream = EmbeddedChannel(loop: connection.channel.embeddedEventLoop)
        connection.farewell.opened(stream)
        connection.sayFarewell()
        connection.endPatience()
        #expect(connection.channel.isActive)
        try stream.close().wait()
        connection.pass(.zero)
        #expect(!connection.channel.isActive)
    }

    /// gRPC has named the last stream, and its client may be one that never closes.
    @Test(arguments: [true, false])
    func connection_thatGRPCHasEnded_isClosedWhenNoStreamIsOpen(beforeTheDrain: Bool) throws {
        let connection = try Connection()
        try connection.open()
        let stream = EmbeddedChannel(loop: connection.channel.embeddedEventLoop)
        connection.farewell.opened(stream)
        if !beforeTheDrain { connection.sayFarewell() }
        let goAway = HTTP2Frame.FramePayload.goAway(
            lastStreamID: 1, errorCode: .noError, opaqueData: nil)
        try connection.channel.writeOutbound(HTTP2Frame(streamID: .rootStream, payload: goAway))
        connection.pass(.hours(1))
        if beforeTheDrain { connection.sayFarewell() }
        connection.pass(.hours(1))
        #expect(connection.channel.isActive)
        try stream.close().wait()
        connection.pass(.milliseconds(1_999))
        #expect(connection.channel.isActive)
        connection.pass(.milliseconds(1))
        #expect(!connection.channel.isActive)
    }

    @Test func farewell_whenGRPCHasSaidGoAway_isNotSaid() throws {
        let connection = try Connection()
        try connection.open()
        let goAway = HTTP2Frame.FramePayload.goAway(
            lastStreamID: 1, errorCode: .noError, opaqueData: nil)
        try connection.channel.writeOutbound(HTTP2Frame(streamID: .rootStream, payload: goAway))
        #expect(try connection.written().map(\.kind) == [.goAway])
        connection.sayFarewell()
        #expect(try connection.written().isEmpty)
    }
}
