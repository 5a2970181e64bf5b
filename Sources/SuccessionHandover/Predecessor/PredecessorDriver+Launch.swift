// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import SystemPackage

/// How the process of a successor begins, and how one that does not end is waited for.
extension PredecessorDriver {
    func spawn() {
        let request: SpawnRequest
        let channel: (ours: OwnedDescriptor, theirs: OwnedDescriptor)
        let captured = capture()
        do {
            channel = try LaunchPlan.makeChannel()
            request = host.request(plan, channel: channel.theirs, capturedError: captured?.file)
            // The request holds numbers only: the launch holds what they stand for.
            launch = try Launch(request) { [weak self] result in
                withExtendedLifetime(captured) {}
                // This side learns of the end of the other one once it alone has it.
                channel.theirs.close()
                Task { @ControlThread in
                    if let self {
                        self.launched(result, path: request.path)
                    } else if case .success(let process) = result {
                        Self.end(process)
                    }
                }
            }
        } catch {
            return handle(
                .spawnFailed(
                    error as? Failure
                        ?? .executing(
                            host.path(of: plan), error as? Errno ?? .invalidArgument)))
        }
        self.captured = captured
        self.channel = MessageSocket(channel.ours)
        // While the other thread waits.
        prepareOffers()
        host.begins(self)
    }

    func abandonSpawn() {
        // Too late: it runs, and is ended as soon as it is known.
        if launch?.abandon() == true { launch = nil }
    }

    private func launched(_ result: Result<ProcessHandle, Errno>, path: String) {
        launch = nil
        guard case .starting = machine.state else {
            if case .success(let process) = result { Self.end(process) }
            return
        }
        switch result {
        case .failure(let errno):
            handle(.spawnFailed(.executing(path, errno)))
        case .success(let process):
            self.process = process
            successorPID = process.processID
            do {
                if let channel { try watch(channel.descriptor) }
                handle(.spawned)
            } catch {
                // One that cannot be watched must not live on unseen: the failure says that there
                // is none.
                self.process = nil
                Self.end(process)
                handle(
                    .spawnFailed(
                        Failure(code: .start, reason: "cannot watch the successor: \(error)")))
            }
        }
    }

    /// Nil: what the successor prints cannot be kept for the operator.
    private func capture() -> CapturedOutput? {
        do {
            return try CapturedOutput()
        } catch {
            host.warn(
                "what the successor prints goes to standard error at once, and swapctl does not show "
                    + "it: memfd_create: \(error)")
            return nil
        }
    }

    private func watch(_ channel: OwnedDescriptor) throws(Errno) {
        try ControlThread.watch(channel.rawValue) { [weak self] in self?.channelReadable() }
        guard let pidfd = process?.descriptor else { return pollForEnd() }
        try ControlThread.watch(pidfd.rawValue) { [weak self] in self?.successorEnded() }
    }

    /// On a kernel without pidfds nothing tells of the end of a process.
    private func pollForEnd() {
        polling = Repetition(every: .milliseconds(100)) { [weak self] in
            if self?.process?.isAlive() == false { self?.successorEnded() }
        }
    }

    // MARK: One that does not end

    private static func end(_ process: ProcessHandle) {
        try? process.signal(Signals.kill)
        bury(process)
    }

    func bury(_ process: ProcessHandle) { Self.bury(process) }

    /// Waits for a process that was killed, whenever the kernel lets go of it.
    private static func bury(_ process: ProcessHandle) {
        guard let pidfd = process.descriptor else { return pollForEnd(of: process) }
        do {
            try ControlThread.watch(pidfd.rawValue) {
                ControlThread.unwatch(pidfd.rawValue)
                _ = try? process.reap()
            }
        } catch {
            pollForEnd(of: process)
        }
    }

    private static func pollForEnd(of process: ProcessHandle) {
        _ = ControlThread.schedule(after: .seconds(1)) {
            guard process.isAlive() else { return _ = try? process.reap() }
            pollForEnd(of: process)
        }
    }
}
