// SPDX-License-Identifier: Apache-2.0

#if NIO
/// The streams of an HTTP/2 connection that are not over, seen from the server.
struct HTTP2OpenStreams {
    private struct Ends {
        var client = false
        var server = false
    }

    private var streams: [UInt32: Ends] = [:]
    /// Of the client's streams, the last that is answered.
    private var limit = UInt32.max
    /// The highest stream that the client has opened; 0 if it has opened none.
    private(set) var lastOfClient: UInt32 = 0

    var isEmpty: Bool { streams.isEmpty }

    mutating func received(_ frame: HTTP2FrameScanner.Frame) {
        typealias Kind = HTTP2FrameScanner.Kind
        switch frame.kind {
        case Kind.headers where frame.stream > lastOfClient:
            lastOfClient = frame.stream
            if frame.stream > limit { return }
            streams[frame.stream] = Ends(client: frame.has(HTTP2FrameScanner.Flag.endStream))
        case Kind.headers, Kind.data:
            guard frame.has(HTTP2FrameScanner.Flag.endStream) else { return }
            end(frame.stream) { $0.client = true }
        case Kind.resetStream: streams[frame.stream] = nil
        default: break
        }
    }

    mutating func sent(_ frame: HTTP2FrameScanner.Frame) {
        typealias Kind = HTTP2FrameScanner.Kind
        switch frame.kind {
        case Kind.headers, Kind.data:
            if frame.kind == Kind.headers, frame.stream % 2 == 0, streams[frame.stream] == nil {
                // A push: the client has nothing to send.
                streams[frame.stream] = Ends(client: true)
            }
            guard frame.has(HTTP2FrameScanner.Flag.endStream) else { return }
            end(frame.stream) { $0.server = true }
        case Kind.resetStream: streams[frame.stream] = nil
        default: break
        }
    }

    /// A GOAWAY has been sent: later streams are not answered.
    mutating func refuse(after stream: UInt32) {
        limit = min(limit, stream)
        streams = streams.filter { $0.key <= limit || $0.key % 2 == 0 }
    }

    /// The client has shut down writing: what it has not ended it never will.
    mutating func clientEnds() {
        for (stream, ends) in streams {
            streams[stream] = ends.server ? nil : Ends(client: true)
        }
    }

    private mutating func end(_ stream: UInt32, _ change: (inout Ends) -> Void) {
        guard var ends = streams[stream] else { return }
        change(&ends)
        streams[stream] = ends.client && ends.server ? nil : ends
    }
}
#endif
