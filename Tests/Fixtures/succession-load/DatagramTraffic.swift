// SPDX-License-Identifier: Apache-2.0

/// Datagrams, each of which must be answered with `gen=<pid> ` before its own payload.
struct DatagramTraffic: Sendable {
    /// A new socket now and then, so that the source port changes.
    private static let datagramsPerSocket = 100

    let session: Session
    let target: Target

    /// Sends one datagram after the other and never one twice: a lost one is a failure.
    func run() -> Tally {
        var tally = Tally()
        var pacer = Pacer(perSecond: session.options.rate)
        var socket: Socket?
        var number = 0
        while !session.isStopping {
            let start = MonotonicTime.now
            do throws(Failure) {
                number += 1
                let current: Socket
                if let open = socket { current = open } else { current = try connect() }
                // After a failure the socket is dropped, and with it an answer that comes late.
                socket = nil
                let generation = try exchange(number, over: current)
                if number % Self.datagramsPerSocket != 0 { socket = current }
                let end = MonotonicTime.now
                tally.succeed(.datagram, from: start, to: end)
                session.see(generation: generation, at: end, in: &tally)
            } catch {
                tally.fail(.datagram, error)
                session.report(.datagram, target, error)
            }
            pacer.wait()
        }
        return tally
    }

    private func connect() throws(Failure) -> Socket {
        try Socket(connectingTo: target, timeout: session.options.timeout)
    }

    /// Returns the generation that answered.
    private func exchange(_ number: Int, over socket: Socket) throws(Failure) -> Int32 {
        let payload = "datagram \(number) of \(MonotonicTime.now.nanoseconds)"
        try socket.send(Array(payload.utf8))
        var buffer = [UInt8](repeating: 0, count: 2_048)
        let count = try socket.receive(
            into: &buffer, deadline: .now + session.options.timeout)
        let answer = String(decoding: buffer[..<count], as: UTF8.self)
        guard answer.hasPrefix("gen="), answer.hasSuffix(" " + payload),
            let pid = Int32(answer.dropFirst(4).dropLast(payload.utf8.count + 1)), pid > 0
        else { throw Failure(.wrong, "answer \"\(answer)\"") }
        return pid
    }
}
