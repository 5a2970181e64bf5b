// SPDX-License-Identifier: Apache-2.0

#if NIO
public import NIOCore
public import NIOHTTP1
public import Succession

/// Ends kept-alive HTTP/1.1 connections in the way clients expect while their generation drains.
///
/// The next response says `Connection: close`, and the connection is closed behind it; requests
/// that were pipelined after it are not answered, as RFC 9112 §9.6 has it.
///
/// A connection that nobody uses cannot be told. Closing it may cross with a request on its way,
/// whenever that is done; so it is left open for the first half of the drain, where a client that
/// comes back is answered and told, and is closed at a moment of its own in the second half. A
/// connection on which part of a request has come is not idle.
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
    private let lingering: LingeringClose
    private var hook: DrainHook?
    private let boundary = RequestBoundary()
    private var phase = Phase.serving
    private var dropsRequests = false
    private var idleMomentHasPassed = false
    /// Requests whose responses have not been written to the end.
    private var unanswered = 0

    /// A handler for one connection of a generation.
    ///
    /// - Parameter idle: when connections that nobody uses are closed. `.deadline` leaves them open
    ///   until they are cut; `.beginning` crosses with most requests.
    /// - Parameter lingerTime: how long a client may take to close its end after the last response.
    ///   What it still sends is read until then: a socket closed with unread data resets the
    ///   connection, and the response may be lost.
    public init(
        _ generation: Generation, idle: DrainMoment = .spread(0.5...0.9),
        lingerTime: TimeAmount = .seconds(2)
    ) {
        self.generation = generation
        self.idle = idle
        lingering = LingeringClose(lingerTime)
    }

    /// The connection is shown as `http/1.1`.
    public func handlerAdded(context: ChannelHandlerContext) {
        guard let counted = try? generation.countedConnection(context.channel) else { return }
        counted.entry.speaks("http/1.1")
        // Fails only if the connection is gone.
        try? boundary.watch(context.pipeline.syncOperations)
        hook = DrainHook(counted.entry, idle, on: context.eventLoop) { [weak self] in
            self?.idleMomentHasPassed = true
            self?.closeIfIdle(context)
        }
    }

    /// Passes requests on that are to be answered.
    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        boundary.decoded(part)
        if case .head = part {
            if phase != .serving { dropsRequests = true } else { unanswered += 1 }
        }
        // The rest of the request that is being answered goes on to the application.
        if !dropsRequests { context.fireChannelRead(data) }
        if case .end = part, idleMomentHasPassed {
            // It may have been answered before it ended.
            closeIfIdle(context)
        }
    }

    /// Marks the last response and closes behind it.
    public func write(
        context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
    ) {
        switch phase {
        case .serving:
            switch unwrapOutboundIn(data) {
            case .head(var head) where head.endsTheRequest && isDraining:
                phase = .lastResponse
                head.headers.replaceOrAdd(name: "Connection", value: "close")
                return context.write(wrapOutboundOut(.head(head)), promise: promise)
            case .end:
                unanswered -= 1
                if idleMomentHasPassed {
                    // Its head went out before the drain began.
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
            phase = .over
            let written = context.promise(for: promise) { [lingering] in lingering.begin(context) }
            context.write(data, promise: written)
        case .over:
            promise?.fail(ChannelError.outputClosed)
        }
    }

    /// The client has closed its end.
    public func channelInactive(context: ChannelHandlerContext) {
        lingering.cancel()
        context.fireChannelInactive()
    }

    /// Nothing of this handler stays behind.
    public func handlerRemoved(context: ChannelHandlerContext) {
        hook?.cancel()
        lingering.cancel()
        context.pipeline.syncOperations.removeHandler(boundary, promise: nil)
    }

    private var isDraining: Bool {
        if case .draining = generation.state { true } else { false }
    }

    private func closeIfIdle(_ context: ChannelHandlerContext) {
        guard phase == .serving, unanswered == 0, boundary.isReached else { return }
        phase = .over
        dropsRequests = true
        lingering.begin(context)
    }
}

extension HTTPResponseHead {
    /// Neither an interim response, nor one after which the connection speaks another protocol.
    fileprivate var endsTheRequest: Bool {
        status.code >= 200
    }
}
#endif
