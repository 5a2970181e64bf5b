// SPDX-License-Identifier: Apache-2.0

/// The ways in which a worker talks HTTP to one target until it is told to stop.
struct HTTPTraffic: Sendable {
    /// A reused connection is left after this many requests, so that new ones keep coming.
    private static let requestsPerConnection = 300
    private static let largeBody = 262_144

    let session: Session
    let target: Target

    /// A connection for each request.
    func connectionPerRequest() -> Tally {
        closing(.connectionPerRequest, path: "/", expectedBodyLength: nil)
    }

    /// Requests that are still being answered when an upgrade comes.
    func slow() -> Tally {
        closing(.slow, path: "/slow?ms=50", expectedBodyLength: nil)
    }

    /// Answers that are still being written when an upgrade comes.
    func body() -> Tally {
        closing(
            .body, path: "/body?n=\(Self.largeBody)&ms=5", expectedBodyLength: Self.largeBody)
    }

    /// Hundreds of requests on a connection; it is left when the server says `Connection: close`.
    func keepAlive() -> Tally {
        var connection: HTTPConnection?
        return repeating(.keepAlive) { () throws(Failure) in
            let current: HTTPConnection
            if let open = connection {
                current = open
            } else {
                current = try HTTPConnection(
                    connectingTo: target, timeout: session.options.timeout)
            }
            // Forgotten until the exchange has gone well: a failed connection is not used again.
            connection = nil
            let response = try current.get("/", closing: false)
            if !response.closes, current.answered < Self.requestsPerConnection {
                connection = current
            }
            return response
        }
    }

    private func closing(_ kind: Kind, path: String, expectedBodyLength: Int?) -> Tally {
        repeating(kind) { () throws(Failure) in
            let connection = try HTTPConnection(
                connectingTo: target, timeout: session.options.timeout)
            return try connection.get(path, closing: true, expectedBodyLength: expectedBodyLength)
        }
    }

    private func repeating(
        _ kind: Kind, _ exchange: () throws(Failure) -> HTTPResponse
    ) -> Tally {
        var tally = Tally()
        var pacer = Pacer(perSecond: session.options.rate)
        while !session.isStopping {
            let start = MonotonicTime.now
            do throws(Failure) {
                let response = try exchange()
                let end = MonotonicTime.now
                tally.succeed(kind, from: start, to: end)
                session.see(generation: response.generation, at: end, in: &tally)
            } catch {
                tally.fail(kind, error)
                session.report(kind, target, error)
            }
            pacer.wait()
        }
        return tally
    }
}
