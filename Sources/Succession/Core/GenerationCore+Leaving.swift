// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import Synchronization

/// The end of a generation.
extension GenerationCore {
    func succeeded(by attempt: PredecessorDriver) {
        // The successor holds the same lock; ours would keep a later instance out while this one
        // still drains.
        lock?.close()
        lock = nil
        keepsListeners = true
        beginDrain(deadline: attempt.plan.drainDeadline, hasSuccessor: true)
    }

    /// Stops accepting for good and gives what is open until the deadline.
    ///
    /// In the middle of an upgrade that is called off first. A second call brings the deadline
    /// forward.
    func beginDrain(deadline: Duration?, hasSuccessor: Bool = false) {
        let deadline = deadline ?? configuration.drainDeadline
        if let drain {
            if !hasSuccessor {
                isToldToLeave = true
                callOffRescue()
            }
            return drain.shorten(to: isBereft ? min(deadline, Self.bereftDeadline) : deadline)
        }
        if isUpgrading, !hasSuccessor {
            postponedDrain = min(deadline, postponedDrain ?? deadline)
            collection?.cancel()
            attempt?.cancel("generation \(number) was told to leave")
            return
        }
        let isLast = !hasSuccessor && !refuseToSucceed()
        shared.withLock { $0.isLast = isLast }
        let drain = DrainRun(
            connections, deadline: deadline, exitGrace: configuration.exitGrace,
            report: { [weak self] in self?.report($0, $1, $2) },
            publish: { [weak self] in self?.publish($0) },
            whenOver: { [weak self] in self?.letGo() })
        self.drain = drain
        successorDriver?.leave()
        endReloads(hasSuccessor: hasSuccessor)
        if isLast {
            let grace = configuration.exitGrace ?? .zero
            supervision?.stopping("generation \(number) drains and is the last")
            supervision?.extend(for: deadline + grace)
        } else {
            supervision?.endExtensions()
            supervision?.stopPinging()
        }
        drain.start()
        // Before the acceptors have stopped: what is answered from now on can say that it is the
        // last.
        enter(.draining(deadline: deadline))
        connections.beginDrain(deadline: deadline)
        // On this thread: the successor's first moments are no time to make others.
        ControlThread.begin { [self] in
            await acceptors.stop(keeping: { self.keepsListeners }) { [hasAccepted] listener in
                if isLast || listener.isBoundHere && !hasAccepted {
                    Self.removePath(of: listener)
                }
            }
            drain.waitForConnections()
        }
    }

    /// Tells a predecessor that waits for this generation that it will not come; false if there is
    /// none.
    private func refuseToSucceed() -> Bool {
        guard let successorDriver, !hasAccepted, !successorDriver.isPredecessorGone else {
            return false
        }
        successorDriver.refuse(
            Failure(
                code: .operator,
                reason: "generation \(number) was told to leave before it accepted"))
        return true
    }

    /// The last of its line takes the paths it bound along; a path given by a service manager is
    /// the manager's.
    nonisolated static func removePath(of listener: Listener) {
        // Whoever is started next is given the socket, and needs the path.
        guard !listener.isStored.load(ordering: .relaxed) else { return }
        guard listener.origin == .bound, let identity = listener.pathIdentity,
            case .unixPath(let path) = listener.address.socketAddress
        else { return }
        remove(path, ifStill: identity)
    }

    /// To be called when an upgrade is over.
    func beginPostponedDrain() {
        guard let deadline = postponedDrain else { return }
        postponedDrain = nil
        beginDrain(deadline: deadline)
    }

    func untilDrained() async {
        for await state in states.stream() {
            if case .draining = state { break }
        }
        _ = await drain?.untilDrained()
    }

    private func publish(_ message: some WireMessage) {
        // A successor that is only being started expects nothing of the kind.
        if !isUpgrading { try? attempt?.channel?.send(message) }
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
            beginDrain(deadline: nil)
        case .stop:
            if let drain, drain.remaining == .zero { ProcessExit.immediately(status: 128 + number) }
            report(.info, "signal \(number): stop")
            beginDrain(deadline: .zero)
        case .reload:
            reload(Reloading.Asker(Signals.name(number), session: nil), within: nil)
        case nil: break
        }
    }
}
