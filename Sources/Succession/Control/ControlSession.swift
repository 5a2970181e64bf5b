// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import SystemPackage

/// One operator at the control socket: one request, then answers until either side leaves.
@ControlThread
final class ControlSession {
    private let socket: MessageSocket
    private let respond: @ControlThread (ControlRequest, ControlSession) -> Void
    private let whenClosed: @ControlThread (ControlSession) -> Void
    private var timer: Timer?
    private var hasRequest = false
    private(set) var isClosed = false
    private(set) var peer = PeerCredentials(processID: 0, userID: .max, groupID: .max)

    init(
        _ socket: MessageSocket,
        respond: @escaping @ControlThread (ControlRequest, ControlSession) -> Void,
        whenClosed: @escaping @ControlThread (ControlSession) -> Void
    ) {
        self.socket = socket
        self.respond = respond
        self.whenClosed = whenClosed
    }

    func start() {
        guard let peer = try? PeerCredentials.of(socket.descriptor.rawValue), isTrusted(peer) else {
            // Read first what has been asked: to close with it unread would reset the connection
            // ahead of the answer.
            _ = try? socket.receive()
            refuse(
                Failure(
                    code: .permission,
                    reason:
                        "only root and user \(ProcessEnvironment.effectiveUserID) are obeyed here"))
            return
        }
        self.peer = peer
        do {
            try ControlThread.watch(socket.descriptor.rawValue) { [weak self] in self?.readable() }
        } catch {
            close()
            return
        }
        timer = ControlThread.schedule(after: .seconds(10)) { [weak self] in
            self?.refuse(Failure(code: .timeout, reason: "no request within 10 s"))
        }
    }

    /// Sends an answer; an operator who has left or does not read is dropped, and that is no error.
    func send(_ message: some WireMessage) {
        guard !isClosed else { return }
        do {
            try socket.send(message)
        } catch {
            close()
        }
    }

    /// Whether it has asked nothing yet.
    var isSilent: Bool { !hasRequest && !isClosed }

    /// Reads what has come already.
    func readNow() {
        if isSilent { readable() }
    }

    /// Says no and closes.
    func refuse(_ failure: Failure) {
        send(Wire.Refused(failure))
        close()
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        timer?.cancel()
        ControlThread.unwatch(socket.descriptor.rawValue)
        socket.descriptor.close()
        whenClosed(self)
    }

    private func isTrusted(_ peer: PeerCredentials) -> Bool {
        peer.userID == 0 || peer.userID == ProcessEnvironment.effectiveUserID
    }

    private func readable() {
        while !isClosed {
            do throws(TransportError) {
                guard let packet = try socket.receive() else { return close() }
                take(packet.message)
            } catch {
                if error.isWouldBlock { return }
                refuse(Failure(code: error.failureCode, reason: "\(error)"))
            }
        }
    }

    private func take(_ message: Message) {
        let arrival = ControlRequest.Arrival(message)
        // An answer to an answer of ours; it is never answered.
        if case .refused = arrival { return }
        guard !hasRequest else {
            // A second request would have to wait for the first one's answers, which may take
            // minutes.
            return refuse(Failure(code: .unexpected, reason: "one request a connection"))
        }
        switch arrival {
        case .request(let request):
            hasRequest = true
            timer?.cancel()
            respond(request, self)
        case .malformed(let error): refuse(error.failure)
        case .misplaced(let kind): send(Wire.Refused(unknownKind: kind.rawValue))
        case .unknown(let kind): send(Wire.Refused(unknownKind: kind))
        case .refused: break
        }
    }
}
