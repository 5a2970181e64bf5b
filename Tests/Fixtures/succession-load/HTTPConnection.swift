// SPDX-License-Identifier: Apache-2.0

/// A connection to a server that speaks HTTP/1.1, one request at a time.
final class HTTPConnection {
    private let stream: ByteStream
    private let timeout: Int64
    /// Requests answered so far.
    private(set) var answered = 0

    init(connectingTo target: Target, timeout: Int64) throws(Failure) {
        stream = try ByteStream(connectingTo: target, timeout: timeout)
        self.timeout = timeout
    }

    /// Sends one GET and reads its response.
    ///
    /// A reused connection that ends before the first byte of the response is
    /// `keepalive-closed`: the server closed it without announcing that in the response before.
    func get(
        _ path: String, closing: Bool, expectedBodyLength: Int? = nil
    ) throws(Failure) -> HTTPResponse {
        let deadline = MonotonicTime.now + timeout
        try request(path, closing: closing, deadline: deadline)
        let response = try HTTPResponse(readingFrom: stream, deadline: deadline)
        if let expected = expectedBodyLength, response.bodyLength != expected {
            throw Failure(.wrong, "a body of \(response.bodyLength) bytes, not \(expected)")
        }
        guard !stream.hasUnread else { throw Failure(.wrong, "bytes after the response") }
        answered += 1
        return response
    }

    private func request(
        _ path: String, closing: Bool, deadline: MonotonicTime
    ) throws(Failure) {
        let connection = closing ? "Connection: close\r\n" : ""
        let text = "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(connection)\r\n"
        do throws(Failure) {
            try stream.send(Array(text.utf8))
            guard try stream.fill(deadline: deadline) else {
                throw Failure(.truncated, "end-of-file before the response")
            }
        } catch {
            var failure = error
            let lost = failure.category == .truncated || failure.category == .reset
            if answered > 0, lost { failure.category = .keepAliveClosed }
            throw failure
        }
    }
}
