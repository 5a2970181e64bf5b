// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import SystemPackage

/// One request to one generation, and its answers.
struct ControlConnection: Sendable {
    /// For messages: `generation 3 of web`.
    let who: String
    private let socket: MessageSocket

    init(_ socket: MessageSocket, who: String) {
        self.socket = socket
        self.who = who
    }

    /// The process that listens, as the kernel vouches for it, also if it does not answer; nil where
    /// it cannot be seen from here.
    var process: ProcessHandle? { PeerCredentials.process(of: socket.descriptor.rawValue) }

    /// The pid of that process in the pid namespace of this one; nil where it cannot be seen from here.
    var processID: Int? {
        let peer = try? PeerCredentials.of(socket.descriptor.rawValue)
        return peer.flatMap { $0.processID > 0 ? Int($0.processID) : nil }
    }

    /// Lent, to be waited for.
    var descriptor: CInt { socket.descriptor.rawValue }

    /// Sends the request.
    ///
    /// A generation that has closed the connection already is no error here: what it said before is still to be read.
    func send(_ request: Message) throws(ControlError) {
        do {
            try socket.send(request)
        } catch {
            switch error {
            case .brokenPipe, .connectionReset: return
            case .messageTooLong:
                throw .usage("the command and its environment do not fit in a packet")
            default: throw .system("cannot ask \(who)", error)
            }
        }
    }

    /// Receives the next answer, waiting until `deadline` (monotonic nanoseconds); nil is end-of-file.
    ///
    /// A refusal is thrown, whatever was asked. Kinds that only a later version knows are passed over.
    func receive(deadline: UInt64) throws(ControlError) -> Message? {
        while true {
            var packet: Packet?
            do {
                packet = try socket.receive(deadline: deadline)
                // A server that closes without having read the request resets the connection, and the
                // kernel reports that before what the server said: the first end may hide a refusal.
                if packet == nil { packet = try socket.receive(deadline: deadline) }
            } catch {
                throw .unreadable(error, from: who)
            }
            guard let message = packet?.message else { return nil }
            if message.kind == .refused { throw .refused(Failure(message), by: who) }
            if message.kind.isKnown { return message }
            let failure = Failure(
                code: .unknownKind, reason: "swapctl does not know '\(message.kind.rawValue)'")
            try? socket.send(failure.message(.refused))
        }
    }
}
