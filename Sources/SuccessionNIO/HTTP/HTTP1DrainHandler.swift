// SPDX-License-Identifier: Apache-2.0

#if NIO
public import NIOCore
public import NIOHTTP1
public import Succession

/// Ends kept-alive HTTP/1.1 connections in the way clients expect while their generation drains.
///
/// The response to the last request that has come says `Connection: close`, and the connection is
/// closed behind it; what was pipelined before is answered, and what comes later is not, as
/// RFC 9112 §9.6 has it.
///
/// A connection that nobody uses cannot be told. Closing it may cross with a request on its way,
/// whenever that is done; so it is left open for the first half of the drain, where a client that
/// comes back is answered and told, and is closed at a moment of its own in the second half, unless
/// it was used a moment ago. One on which a part of a head has come, and no more of it, is answered
/// 408 then, which allows the client to repeat the request.
///
/// With `allowRemoteHalfClosure`, a child channel's option that SwiftNIO leaves off, a client that
/// shuts down writing behind its request gets its answer; this handler closes behind it. Without
/// it, SwiftNIO closes the connection as soon as it reads that end.
///
/// Belongs right after what `configureHTTPServerPipeline` adds, before the application's handlers.
/// Have it removed when the connection is upgraded to another protocol.
public final class HTTP1DrainHandler: ChannelDuplexHandler, RemovableChannelHandler {
    /// Requests.
    public typealias InboundIn = HTTPServerRequestPart
    /// Requests that are to be answered.
    public typealias InboundOut = HTTPServerRequestPart
    /// Responses.
    public typealias OutboundIn = HTTPServerResponsePart
    /// Responses, the last one marked.
    public typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        case serving
        /// The head of the last response has been written.
        case lastResponse
        case over
    }

    private let generation: Generation
    private let idle: DrainMoment
    private let minimumIdleTime: TimeAmount
    private let lingering: LingeringClose
    private let boundary = RequestBoundary()
    private var entry: ConnectionRegistry.Entry?
    private var idleEnd: IdleEnd?
    private var phase = Phase.serving
    private var dropsRequests = false
    private var inputIsClosed = false
    /// Requests that came as far as here, and responses that were written to their end.
    private var (requests, responses) = (0, 0)
    /// The number of the request whose response is the last.
    private var lastRequest: Int?

    /// A handler for one connection of a generation.
    ///
    /// - Parameter idle: when connections that nobody uses are closed. `.deadline` leaves them open
    ///   until they are cut; `.beginning` crosses with most requests.
    /// - Parameter minimumIdleTime: how long a connection is left open after it was accepted, or
    ///   after its last response, even if its moment has come; at most nine tenths of the drain.
    ///   Clients that come back more often than that do not meet the close.
    /// - Parameter lingerTime: how long a client may take to close its end after the last response.
    ///   What it still sends is read until then: a socket closed with unread data resets the
    ///   connection, and the response may be lost.
    public init(
        _ generation: Generation, idle: DrainMoment = .spread(0.5...0.9),
        minimumIdleTime: TimeAmount = .seconds(5), lingerTime: TimeAmount = .seconds(2)
    ) {
        self.generation = generation
        self.idle = idle
        self.minimumIdleTime = minimumIdleTime
        lingering = LingeringClose(lingerTime)
    }

    /// The connection is shown as `http/1.1`.
    public func handlerAdded(context: ChannelHandlerContext) {
        guard let counted = try? generation.countedConnection(context.channel) else { return }
        let entry = counted.entry
        entry.setProtocol("http/1.1")
        self.entry = entry
        // Fails only if the connection is gone.
        try? boundary.watch(context.pipeline.syncOperations)
        idleEnd = IdleEnd(entry, idle, minimumIdleTime, on: context.eventLoop) { [weak self] in
            self?.closeIfIdle(context)
        }
    }

    /// Passes requests on that are to be answered.
    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if !boundary.seesDecoder { boundary.decoded(part) }
        if case .head = part {
            requests += 1
            if idleEnd?.hasBegun == true { entry?.settled(false) }
            if let lastRequest, requests > lastRequest { dropsRequests = true }
        }
        // The rest of the request that is being answered goes on to the application.
        if !dropsRequests { context.fireChannelRead(data) }
        // It may have been answered before it ended.
        if case .end = part { closeIfIdle(context) }
    }

    /// Marks the last response and closes behind it.
    public func write(
        context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
    ) {
        switch phase {
        case .serving:
            switch unwrapOutboundIn(data) {
            case .head(var head) where head.endsTheRequest && isLastResponse:
                phase = .lastResponse
                head.headers.replaceOrAdd(name: "Connection", value: "close")
                return context.write(wrapOutboundOut(.head(head)), promise: promise)
            case .end:
                responses += 1
                idleEnd?.used()
                if inputIsClosed || idleEnd?.hasBegun == true {
                    // Its head went out before.
                    let written = context.promise(for: promise) { [self] in closeIfIdle(context) }
                    return context.write(data, promise: written)
                }
            case .head, .body: break
            }
            context.write(data, promise: promise)
        case .lastResponse:
            guard case .end = unwrapOutboundIn(data) else {
                return context.write(data, promise: promise)
            }
            responses += 1
            phase = .over
            let written = context.promise(for: promise) { [self] in end(context) }
            context.write(data, promise: written)
        case .over:
            promise?.fail(ChannelError.outputClosed)
        }
    }

    /// The client has shut down writing: what it has asked for is answered.
    public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent {
            inputIsClosed = true
            closeIfIdle(context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// The client has closed its end.
    public func channelInactive(context: ChannelHandlerContext) {
        lingering.cancel()
        context.fireChannelInactive()
    }

    /// Nothing of this handler stays behind.
    public func handlerRemoved(context: ChannelHandlerContext) {
        idleEnd?.cancel()
        lingering.cancel()
        context.pipeline.syncOperations.removeHandler(boundary, promise: nil)
    }

    private var isLastResponse: Bool {
        guard inputIsClosed || isDraining else { return false }
        if lastRequest == nil { lastRequest = boundary.lastRequest() }
        return lastRequest.map { responses + 1 >= $0 } ?? false
    }

    private var isDraining: Bool {
        if case .draining = generation.state { true } else { false }
    }

    /// Closes if nobody waits for an answer, and if it is time to.
    private func closeIfIdle(_ context: ChannelHandlerContext) {
        guard phase == .serving else { return }
        if inputIsClosed {
            // One that has not come to its end never will.
            guard responses >= boundary.requests - (boundary.isInRequest ? 1 : 0) else { return }
            phase = .over
            return end(context)
        }
        guard boundary.requests == responses, !boundary.isInRequest else { return }
        guard let idleEnd, idleEnd.hasBegun else { return }
        let isInHead = boundary.isInHead
        if !isInHead { settleWhenWritten() }
        guard idleEnd.hasCome(partOfHead: isInHead ? boundary.lastPart : nil) else { return }
        phase = .over
        dropsRequests = true
        if isInHead { boundary.answerTooLate() }
        lingering.begin(context, entry, owes: boundary.hasBegun)
    }

    /// A deadline that comes before the close takes nothing from anybody.
    private func settleWhenWritten() {
        boundary.whenWritten { [self] in
            if boundary.requests == responses { entry?.settled() }
        }
    }

    private func end(_ context: ChannelHandlerContext) {
        guard inputIsClosed else { return lingering.begin(context, entry) }
        // NIO would drop what is not written yet.
        boundary.whenWritten { [self] in lingering.begin(context, entry, waits: false) }
    }
}

extension HTTPResponseHead {
    /// Neither an interim response, nor one after which the connection speaks another protocol.
    fileprivate var endsTheRequest: Bool {
        status.code >= 200
    }
}
#endif
