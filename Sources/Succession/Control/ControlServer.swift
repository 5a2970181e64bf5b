// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import SystemPackage

/// Listens on a generation's control socket and reads one request from each operator.
@ControlThread
final class ControlServer {
    /// Operators at once; one more takes the place of the one that has been silent for longest, or waits in
    /// the queue of the socket until one has left.
    private static let maximumSessions = 32

    private let endpoint: ControlEndpoint
    private let respond: @ControlThread (ControlRequest, ControlSession) -> Void
    private var sessions: [ObjectIdentifier: ControlSession] = [:]
    /// Those that may be silent still, in the order in which they came.
    private var newcomers: [ControlSession] = []
    private var isListening = false

    init(
        _ endpoint: ControlEndpoint,
        respond: @escaping @ControlThread (ControlRequest, ControlSession) -> Void
    ) {
        self.endpoint = endpoint
        self.respond = respond
    }

    func start() throws(Errno) {
        isListening = true
        try ControlThread.watch(endpoint.listener.rawValue) { [weak self] in self?.accept() }
    }

    func stop() {
        isListening = false
        ControlThread.unwatch(endpoint.listener.rawValue)
        for session in sessions.values { session.close() }
        endpoint.listener.close()
    }

    private func accept() {
        while sessions.count < Self.maximumSessions || isAnybodyWaiting && evictSilent() {
            do {
                let (socket, _) = try DescriptorReserve.shared.sparing { () throws(Errno) in
                    try Syscall.accept(endpoint.listener.rawValue)
                }
                admit(socket)
            } catch {
                if error == .interrupted || error == .connectionAbort { continue }
                if error != .resourceTemporarilyUnavailable { retryLater() }
                return
            }
        }
        // Where somebody is silent still, the next one takes that place.
        if newcomers.isEmpty { ControlThread.unwatch(endpoint.listener.rawValue) }
    }

    /// No descriptors left: the socket stays readable, and looking again at once would spin.
    private func retryLater() {
        ControlThread.unwatch(endpoint.listener.rawValue)
        _ = ControlThread.schedule(after: .milliseconds(200)) { [weak self] in self?.listenAgain() }
    }

    private func listenAgain() {
        guard isListening else { return }
        ControlThread.unwatch(endpoint.listener.rawValue)
        _ = try? ControlThread.watch(endpoint.listener.rawValue) { [weak self] in self?.accept() }
    }

    private func admit(_ socket: OwnedDescriptor) {
        let session = ControlSession(
            MessageSocket(socket), respond: respond,
            whenClosed: { [weak self] session in self?.forget(session) })
        sessions[ObjectIdentifier(session)] = session
        newcomers.append(session)
        session.start()
    }

    private var isAnybodyWaiting: Bool {
        let listener = endpoint.listener.rawValue
        return (try? Syscall.poll(listener, events: Syscall.pollIn, timeoutMilliseconds: 0)) == true
    }

    /// Makes room by ending the session that has asked nothing for longest; false if all have asked.
    private func evictSilent() -> Bool {
        while let oldest = newcomers.first {
            newcomers.removeFirst()
            oldest.readNow()
            if oldest.isSilent {
                oldest.refuse(
                    Failure(code: .timeout, reason: "no request, and others want to ask"))
            }
            if sessions.count < Self.maximumSessions { return true }
        }
        return false
    }

    private func forget(_ session: ControlSession) {
        let wasFull = sessions.count >= Self.maximumSessions
        sessions.removeValue(forKey: ObjectIdentifier(session))
        newcomers.removeAll { $0 === session }
        DescriptorReserve.shared.fill()
        if wasFull { listenAgain() }
    }
}
