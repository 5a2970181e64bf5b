// SPDX-License-Identifier: Apache-2.0

#if NIO
public import NIOCore
public import NIOHTTP1
public import Succession

/// Ends kept-alive HTTP/1.1 connections in the way clients expect while their generation drains.
///
/// The next response says `Connection: close`, and the connection is closed behind it; requests
/// that were pipelined after it are not answered, as RFC 9112 §9.6 has it. A connection that is
/// idle stays open until it is used, or until the deadline of the drain cuts it: closing it at once
/// would cross with a request on its way.
///
/// Belongs right after what `configureHTTPServerPipeline` adds, before the application's handlers.
public final class HTTP1DrainHandler: ChannelDuplexHandler {
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

    private let isDraining: () -> Bool
    private let lingerTime: TimeAmount
    private var phase = Phase.serving
    private var dropsRequests = false
    private var lingering: Scheduled<Void>?

    /// A handler for one connection of a generation.
    ///
    /// - Parameter lingerTime: how long a client may take to close its end after the last response.
    ///   What it still sends is read until then: a socket closed with unread data resets the
    ///   connection, and the response may be lost.
    public init(_ generation: Generation, lingerTime: TimeAmount = .seconds(2)) {
        isDraining = {
            if case .draining = generation.state { true } else { false }
        }
        self.lingerTime = lingerTime
    }

    /// Passes requests on that are to be answered.
    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if phase != .serving, case .head = unwrapInboundIn(data) { dropsRequests = true }
        // The rest of the request that is being answered goes on to the application.
        if !dropsRequests { context.fireChannelRead(data) }
    }

    /// Marks the last response and closes behind it.
    public func write(
        context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
    ) {
        switch phase {
        case .serving:
            guard case .head(var head) = unwrapOutboundIn(data), head.endsTheRequest, isDraining()
            else { return context.write(data, promise: promise) }
            phase = .lastResponse
            head.headers.replaceOrAdd(name: "Connection", value: "close")
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .lastResponse:
            guard case .end = unwrapOutboundIn(data) else {
                return context.write(data, promise: promise)
            }
            phase = .over
            let written = promise ?? context.eventLoop.makePromise()
            written.futureResult.assumeIsolated().whenComplete { [self] _ in
                finish(context: context)
            }
            context.write(data, promise: written)
        case .over:
            promise?.fail(ChannelError.outputClosed)
        }
    }

    /// The client has closed its end.
    public func channelInactive(context: ChannelHandlerContext) {
        lingering?.cancel()
        context.fireChannelInactive()
    }

    /// Nothing of this handler stays behind.
    public func handlerRemoved(context: ChannelHandlerContext) {
        lingering?.cancel()
    }

    /// Says that nothing more comes, and waits for the client to close.
    private func finish(context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        let halfClosed = context.eventLoop.makePromise(of: Void.self)
        context.close(mode: .output, promise: halfClosed)
        halfClosed.futureResult.assumeIsolated().whenComplete { [self] result in
            guard case .success = result, context.channel.isActive else {
                return context.close(promise: nil)
            }
            lingering = context.eventLoop.assumeIsolated().scheduleTask(in: lingerTime) {
                context.close(promise: nil)
            }
        }
    }
}

extension HTTPResponseHead {
    /// Neither an interim response, nor one after which the connection speaks another protocol.
    fileprivate var endsTheRequest: Bool {
        status.code >= 200
    }
}
#endif
