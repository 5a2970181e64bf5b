// SPDX-License-Identifier: Apache-2.0

/// The ways in which a worker talks to a raw echo until it is told to stop.
struct EchoTraffic: Sendable {
    private static let linesPerConnection = 4
    /// A held connection says something this often, and a new one is opened every tenth time.
    private static let heldInterval: Int64 = 100_000_000
    private static let ticksPerConnection = 10

    let session: Session
    let target: Target

    /// Connections of a few lines; each is one request.
    func short() -> Tally {
        var tally = Tally()
        var pacer = Pacer(perSecond: session.options.rate)
        while !session.isStopping {
            attempt(.echo, &tally) { tally throws(Failure) in
                let connection = try open(&tally)
                for _ in 0..<Self.linesPerConnection { try connection.exchange() }
            }
            pacer.wait()
        }
        return tally
    }

    /// Connections that live for seconds and must go on working; each line is one request.
    func held() -> Tally {
        var tally = Tally()
        var connections: [EchoConnection] = []
        var pacer = Pacer(interval: Self.heldInterval)
        var tick = 0
        while !session.isStopping {
            let oldest = MonotonicTime.now + -session.options.hold
            connections.removeAll { $0.opened < oldest }
            if tick % Self.ticksPerConnection == 0 {
                attempt(.heldEcho, &tally) { tally throws(Failure) in
                    connections.append(try open(&tally))
                }
            }
            connections.removeAll { connection in
                !attempt(.heldEcho, &tally) { _ throws(Failure) in try connection.exchange() }
            }
            tick += 1
            pacer.wait()
        }
        return tally
    }

    private func open(_ tally: inout Tally) throws(Failure) -> EchoConnection {
        let connection = try EchoConnection(
            connectingTo: target, timeout: session.options.timeout)
        session.see(generation: connection.generation, at: .now, in: &tally)
        return connection
    }

    /// Counts what the body does as one request; returns whether it went well.
    @discardableResult
    private func attempt(
        _ kind: Kind, _ tally: inout Tally, _ body: (inout Tally) throws(Failure) -> Void
    ) -> Bool {
        let start = MonotonicTime.now
        do throws(Failure) {
            try body(&tally)
            tally.succeed(kind, from: start, to: .now)
            return true
        } catch {
            tally.fail(kind, error)
            session.report(kind, target, error)
            return false
        }
    }
}
