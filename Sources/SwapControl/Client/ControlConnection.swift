// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import SystemPackage

/// A connection to the control socket of one generation: carries one request and its answers.
struct ControlConnection: Sendable {
    /// The generation, for messages: `generation 3 of web`.
    let who: String
    private let socket: MessageSocket
    /// Ends a wait from outside; nil: nothing does.
    private let interruption: Interruption?

    init(_ socket: MessageSocket, who: String, interruption: Interruption?) {
        self.socket = socket
        self.who = who
        self.interruption = interruption
    }

    /// The process that listens, as the kernel reports it, whether or not it answers; nil where this process cannot
    /// see it.
    var process: ProcessHandle? { PeerCredentials.process(of: socket.descriptor.rawValue) }

    /// The pid of that process in the pid namespace of this one; nil where this process cannot see it.
    var processID: Int? {
        let peer = try? PeerCredentials.of(socket.descriptor.rawValue)
        return peer.flatMap { $0.processID > 0 ? Int($0.processID) : nil }
    }

    /// Sends the request.
    ///
    /// A connection that the server has closed is not an error here: what the server sent before is still to be read.
    func send(_ request: some WireMessage) throws(ControlError) {
        do {
            try socket.send(request)
        } catch {
            switch error {
            case .brokenPipe, .connectionReset: return
            case .messageTooLong:
                throw .usage("the command and its environment do not fit in a packet")
            default: throw .system("cannot send to \(who)", error)
            }
        }
    }

    /// Receives the next answer, waiting until `deadline` (monotonic nanoseconds); nil is end-of-file.
    ///
    /// Throws a refusal, whatever was asked, and a cancellation; a signal only if `takesSignals`. Skips kinds that only
    /// a later version knows.
    func receive(
        deadline: UInt64, takesSignals: Bool = false
    ) throws(ControlError) -> ControlAnswer? {
        while true {
            if let interruption, takesSignals || !interruption.isBySignals {
                _ = try interruption.wait(for: socket.descriptor.rawValue, until: deadline)
            }
            var packet: Packet?
            do {
                packet = try socket.receive(deadline: deadline)
                // A server that closes without having read the request resets the connection, and the kernel reports
                // that before the answers in the queue: the first end-of-file may hide a refusal.
                if packet == nil { packet = try socket.receive(deadline: deadline) }
            } catch {
                throw .unreadable(error, from: who)
            }
            guard let message = packet?.message else { return nil }
            switch ControlAnswer.Arrival(message) {
            case .answer(let answer): return answer
            case .refused(let failure): throw .refused(failure, by: who)
            case .unknown(let kind): try? socket.send(Wire.Refused(unknownKind: kind))
            }
        }
    }

    /// Waits until the process has ended (true) or the deadline has passed (false).
    ///
    /// Throws an interruption. A process without a pidfd is looked at again every 20 ms.
    func waitForExit(of process: ProcessHandle, deadline: UInt64) throws(ControlError) -> Bool {
        guard let interruption else { return process.waitForExit(deadline: deadline) }
        while process.isAlive() {
            let now = Clock.now
            guard now < deadline else { return false }
            _ = try interruption.wait(
                for: process.descriptor?.rawValue,
                until: process.descriptor == nil
                    ? min(deadline, Clock.after(milliseconds: 20)) : deadline)
        }
        return true
    }
}
