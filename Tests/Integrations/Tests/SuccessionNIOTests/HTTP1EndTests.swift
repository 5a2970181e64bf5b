// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import NIOPosix
import Succession
import SuccessionNIO
import Synchronization
import Testing

/// How a connection ends for its client, and which ends are counted as cuts.
@Suite(.timeLimit(.minutes(1))) struct HTTP1EndTests {
    private let request = Array("GET / HTTP/1.1\r\nHost: test\r\n\r\n".utf8)

    private func start(
        idle: DrainMoment = .beginning, minimum: TimeAmount = .zero,
        linger: TimeAmount = .seconds(2), answers: NumberedAnswers.Mode = .atOnce
    ) async throws -> TestServer {
        try await TestServer { channel, generation in
            try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline()
            try pipeline.addHandler(
                HTTP1DrainHandler(
                    generation, idle: idle, minimumIdleTime: minimum, lingerTime: linger))
            try pipeline.addHandler(NumberedAnswers(answers))
        }
    }

    /// Everything up to the end of the connection.
    private func rest(_ client: TestClient) throws -> String {
        var text = ""
        while case let byte = try client.readUntilEnd(1), !byte.isEmpty {
            text += String(decoding: byte, as: UTF8.self)
        }
        return text
    }

    private func answer(_ client: TestClient) throws -> String {
        var text = ""
        while !text.hasSuffix("\r\n\r\n") {
            text += String(decoding: try client.read(1), as: UTF8.self)
        }
        return text
    }

    /// A client that does not read its socket has received the end all the same.
    @Test func idleConnection_whoseClientDoesNotLook_isNotCut() async throws {
        let server = try await start(linger: .seconds(60))
        let client = try server.connect()
        try client.write(request)
        _ = try answer(client)
        await server.generation.drain(deadline: .milliseconds(500))
        #expect(await server.stop() == 0)
        #expect(try rest(client) == "")
    }

    @Test func connection_thatLingersAfterItsLastResponse_isNotCut() async throws {
        let server = try await start(idle: .deadline, linger: .seconds(60))
        let client = try server.connect()
        try client.write(request)
        _ = try answer(client)
        await server.generation.drain(deadline: .seconds(1))
        try client.write(request)
        #expect(try answer(client).contains("Connection: close"))
        #expect(await server.stop() == 0)
    }

    @Test func connection_whoseRequestIsNotAnswered_isCut() async throws {
        let server = try await start(answers: .never)
        let client = try server.connect()
        try client.write(request)
        await server.connectionTaken()
        await server.generation.drain(deadline: .milliseconds(300))
        #expect(await server.stop() == 1)
        withExtendedLifetime(client) {}
    }

    /// Each is answered, and the last answer says `Connection: close`.
    @Test(arguments: [2, 200])
    func requests_thatWerePipelinedBeforeTheDrain_areAnswered(count: Int) async throws {
        let (answers, control) = NumberedAnswers.held()
        let server = try await start(idle: .deadline, answers: answers)
        let client = try server.connect()
        try client.write(Array(repeatElement(request, count: count).joined()))
        await control.holdsAnAnswer()
        await server.generation.drain(deadline: .seconds(20))
        control.release()
        for number in 1...count {
            let text = try answer(client)
            #expect(text.contains("X-Number: \(number)\r\n"))
            #expect(text.contains("Connection: close") == (number == count))
        }
        #expect(try rest(client) == "")
        client.end()
        #expect(await server.stop() == 0)
    }

    /// A client that never stops asking does not hold up the drain.
    @Test func requests_thatCameBehindTheLast_areNotAnswered() async throws {
        let (answers, control) = NumberedAnswers.held()
        let server = try await start(idle: .deadline, answers: answers)
        let client = try server.connect()
        try client.write(request)
        await control.holdsAnAnswer()
        await server.generation.drain(deadline: .seconds(20))
        control.release()
        #expect(try answer(client).contains("Connection: close"))
        try client.write(request)
        #expect(try rest(client) == "")
        client.end()
        #expect(await server.stop() == 0)
    }

    /// RFC 9110 §15.5.9: the client may repeat it on another connection.
    @Test(arguments: [true, false])
    func partOfAHead_thatDoesNotGoOn_isAnswered408(afterAResponse: Bool) async throws {
        let server = try await start(idle: .spread(0.5...0.5))
        let client = try server.connect()
        if afterAResponse {
            try client.write(request)
            _ = try answer(client)
        }
        try client.write(Array(request.prefix(9)))
        await server.connectionTaken()
        await server.generation.drain(deadline: .seconds(4))
        let text = try rest(client)
        #expect(text.hasPrefix("HTTP/1.1 408 ") && text.contains("Connection: close\r\n"))
        client.end()
        #expect(await server.stop() == 0)
    }

    @Test func connection_withoutAByte_isNotCut() async throws {
        let server = try await start(idle: .spread(0.5...0.5))
        let client = try server.connect()
        await server.connectionTaken()
        await server.generation.drain(deadline: .seconds(2))
        #expect(try rest(client) == "")
        client.end()
        #expect(await server.stop() == 0)
    }

    /// A connection that is used often is not closed while a request may be on its way.
    @Test func connection_thatWasUsedAMomentAgo_staysOpen() async throws {
        let server = try await start(minimum: .seconds(1))
        let client = try server.connect()
        try client.write(request)
        _ = try answer(client)
        await server.generation.drain(deadline: .seconds(20))
        #expect(client.isSilent(for: 500))
        try client.write(request)
        #expect(try answer(client).contains("Connection: close"))
        #expect(try rest(client) == "")
        client.end()
        #expect(await server.stop() == 0)
    }

    /// The minimum idle time does not reach past the deadline.
    @Test func connection_thatWasUsedAMomentAgo_endsBeforeTheDeadline() async throws {
        let server = try await start(minimum: .hours(1))
        let client = try server.connect()
        try client.write(request)
        _ = try answer(client)
        await server.generation.drain(deadline: .seconds(2))
        #expect(try rest(client) == "")
        client.end()
        #expect(await server.stop() == 0)
    }

    /// SwiftNIO's default is to close when it reads the end.
    @Test(arguments: [NumberedAnswers.Mode.atOnce, .later])
    func client_thatShutsDownWriting_isAnswered(mode: NumberedAnswers.Mode) async throws {
        let server = try await start(answers: mode)
        let client = try server.connect()
        try client.write(request + request)
        client.shutDownWriting()
        let text = try rest(client)
        #expect(text.contains("X-Number: 1\r\n") && text.contains("X-Number: 2\r\n"))
        await server.connectionEnded()
        #expect(await server.stop(atOnce: true) == 0)
    }

    @Test(arguments: ["", "GET / HT", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"])
    func client_thatShutsDownWritingInARequest_isClosed(part: String) async throws {
        let server = try await start()
        let client = try server.connect()
        if !part.isEmpty { try client.write(Array(part.utf8)) }
        client.shutDownWriting()
        #expect(!(try rest(client)).contains("200"))
        await server.connectionEnded()
        #expect(await server.stop(atOnce: true) == 0)
    }
}

/// Answers with a number and no body: at once, later, never, or when it is released.
final class NumberedAnswers: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    enum Mode: Sendable, CustomTestStringConvertible {
        case atOnce, later, never
        case held(Control)

        var testDescription: String {
            switch self {
            case .atOnce: "at once"
            case .later: "later"
            case .never: "never"
            case .held: "held"
            }
        }
    }

    /// Holds back what is to be answered.
    final class Control: Sendable {
        private struct State {
            var isOpen = false
            var held: [@Sendable () -> Void] = []
        }

        private let state = Mutex(State())
        private let (holds, hold) = AsyncStream.makeStream(of: Void.self)

        /// Returns when an answer is held back.
        func holdsAnAnswer() async { for await _ in holds { return } }

        func wait(_ then: @escaping @Sendable () -> Void) {
            let isOpen = state.withLock { state in
                if !state.isOpen { state.held.append(then) }
                return state.isOpen
            }
            if isOpen { then() } else { hold.yield() }
        }

        func release() {
            let held = state.withLock { state in
                state.isOpen = true
                return state.held
            }
            for then in held { then() }
        }
    }

    static func held() -> (Mode, Control) {
        let control = Control()
        return (.held(control), control)
    }

    private let mode: Mode
    private var number = 0

    init(_ mode: Mode) {
        self.mode = mode
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = unwrapInboundIn(data) else { return }
        switch mode {
        case .atOnce: answer(context)
        case .later:
            context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(100)) { [self] in
                answer(context)
            }
        case .never: break
        case .held(let control):
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            let loop = context.eventLoop
            control.wait {
                loop.execute { bound.value.0.answer(bound.value.1) }
            }
        }
    }

    private func answer(_ context: ChannelHandlerContext) {
        number += 1
        let headers: HTTPHeaders = ["X-Number": "\(number)", "Content-Length": "0"]
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
