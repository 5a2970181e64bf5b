// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import Synchronization

/// The end of a generation.
extension GenerationCore {
    /// Stops accepting for good and gives what is open until the deadline.
    ///
    /// In the middle of an upgrade that is called off first. A second call brings the deadline
    /// forward.
    func leave(deadline: Duration?) { handle(.drainRequested(deadline: deadline)) }

    func beginDrain(deadline: Duration, isLast: Bool) {
        shared.withLock { $0.isLast = isLast }
        let drain = DrainRun(
            connections, deadline: deadline, exitGrace: configuration.exitGrace,
            report: { [weak self] in self?.report($0, $1, $2) },
            publish: { [weak self] in self?.publish($0) },
            whenOver: { [weak self] in self?.handle(.drainEnded) })
        self.drain = drain
        drain.start()
    }

    /// Removes the path of a Unix listener that a generation of this service has bound.
    ///
    /// A path given by a service manager is the manager's.
    nonisolated static func removePath(of listener: Listener) {
        // The process that is started next is given the socket, and needs the path.
        guard !listener.isStored.load(ordering: .relaxed) else { return }
        guard listener.origin == .bound, let identity = listener.pathIdentity,
            case .unixPath(let path) = listener.address.socketAddress
        else { return }
        remove(path, ifStill: identity)
    }

    func untilDrained() async {
        for await state in states.stream() {
            if case .draining = state { break }
        }
        _ = await drain?.untilDrained()
    }

    private func publish(_ message: some WireMessage) {
        // A successor that is only being started expects nothing of the kind.
        if lifecycle.runningRequest == nil { try? attempt?.channel?.send(message) }
        audience.removeAll { $0.isClosed }
        for session in audience { session.send(message) }
    }

    func addAudience(_ session: ControlSession) {
        audience.append(session)
        guard let drain else { return }
        session.send(drain.progressReport)
        if let lastWord = drain.lastWord { session.send(lastWord) }
    }

    func received(signal number: CInt) {
        switch configuration.signals[.init(rawValue: number)] {
        case .upgrade:
            report(.info, "signal \(number): upgrade")
            upgrade(LaunchPlan(), session: nil)
        case .drain:
            report(.info, "signal \(number): drain")
            leave(deadline: nil)
        case .stop:
            if let drain, drain.remaining == .zero { ProcessExit.immediately(status: 128 + number) }
            report(.info, "signal \(number): stop")
            leave(deadline: .zero)
        case .reload:
            reload(Reloading.Asker(Signals.name(number), session: nil), within: nil)
        case nil: break
        }
    }
}
