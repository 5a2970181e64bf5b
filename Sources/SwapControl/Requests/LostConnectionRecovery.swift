// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// Learns the outcome of an upgrade whose connection ended before the result.
struct LostConnectionRecovery {
    private let client: ControlClient
    private let predecessor: GenerationReference
    /// The path of the program that the upgrade was to start.
    private let wanted: String

    init(_ client: ControlClient, _ predecessor: GenerationReference, wanted: String) {
        self.client = client
        self.predecessor = predecessor
        self.wanted = wanted
    }

    /// Returns when a newer generation serves, when the old one serves and runs no upgrade, or when another process
    /// serves in its place.
    ///
    /// Throws after ten seconds, and if the wait is interrupted.
    func outcome(since start: UInt64) throws(ControlError) -> UpgradeOutcome {
        let deadline = Clock.after(milliseconds: 10_000)
        var pause: CInt = 5
        while true {
            let status = try? client.servingStatus(timeout: .seconds(1))
            if let status, var outcome = outcome(status) {
                outcome.elapsedMicroseconds = Clock.microseconds(since: start)
                return outcome
            }
            if Clock.now >= deadline { throw notInTime(status) }
            // The predecessor is gone, and nobody else knows when the successor begins to answer. So the directory is
            // read again, at growing intervals.
            try client.pause(milliseconds: pause)
            pause = min(pause * 2, 200)
        }
    }

    /// Nil: the upgrade is not over.
    private func outcome(_ status: GenerationStatus) -> UpgradeOutcome? {
        switch LostConnectionVerdict(status, after: predecessor) {
        case .open: nil
        case .committed: committed(status.serving)
        case .unchanged:
            unchanged(
                status,
                UpgradeFailure(
                    code: .connectionLost,
                    reason: "the connection ended before the result, and no upgrade is running"))
        case .restarted: restarted(status)
        }
    }

    private func unchanged(_ status: GenerationStatus, _ failure: UpgradeFailure) -> UpgradeOutcome
    {
        var outcome = UpgradeOutcome(
            service: client.service.name, predecessor: predecessor, result: .unchanged(failure),
            serving: status.serving)
        outcome.isConnectionLost = true
        return outcome
    }

    /// The supervisor has started the service again, by its own command: usually the program that was asked for.
    private func restarted(_ status: GenerationStatus) -> UpgradeOutcome {
        let what =
            "\(predecessor) died during the upgrade, and \(status.serving) was started in its place"
        let program = status.visibleProcessID.flatMap { ExecutedProgram($0) }
        switch program?.isStarted(by: wanted) {
        case true:
            var outcome = committed(status.serving)
            outcome.warning = "\(what), not by the upgrade: the connections it had are lost"
            return outcome
        case false:
            let path = program?.path.terminalSafe ?? ""
            return unchanged(
                status,
                UpgradeFailure(
                    code: .restarted,
                    reason: "\(what), which executes \(path) and not \(wanted.terminalSafe)"))
        default:
            var outcome = unchanged(
                status,
                UpgradeFailure(
                    code: .restarted,
                    reason:
                        "\(what); whether it executes \(wanted.terminalSafe) cannot be told: run swapctl as "
                        + "its user, or as root"))
            outcome.isInDoubt = true
            return outcome
        }
    }

    private func committed(_ successor: GenerationReference) -> UpgradeOutcome {
        var outcome = UpgradeOutcome(
            service: client.service.name, predecessor: predecessor, result: .committed(successor),
            serving: successor)
        outcome.isConnectionLost = true
        outcome.isPredecessorAlive = (try? client.connect(predecessor.generation)) != nil
        outcome.warning =
            outcome.isPredecessorAlive
            ? "the connection to \(predecessor) ended before the result"
            : "\(predecessor) died before it could report: the connections it had are lost"
        return outcome
    }

    private func notInTime(_ status: GenerationStatus?) -> ControlError {
        guard let status else {
            return .noSuchService(
                "\(predecessor) ended during the upgrade, and 10 s later nobody serves "
                    + "\(client.service.name): start the server")
        }
        return ControlError(
            code: .connectionLost,
            message: "the connection ended before the result; \(status.serving) is in state "
                + "'\(status.state)', and the upgrade goes on without swapctl",
            exitCode: .busy)
    }
}

/// The program that a process executes, as /proc shows it.
private struct ExecutedProgram {
    /// The file itself: links are resolved.
    let path: String
    private let arguments: [String]

    /// Nil: the process has ended, or this process may not look at it.
    init?(_ processID: Int) {
        guard let pid = Int32(exactly: processID),
            let path = try? Syscall.readLink("/proc/\(pid)/exe")
        else { return nil }
        self.path = path
        arguments = ((try? Syscall.readFile("/proc/\(pid)/cmdline")) ?? [])
            .split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether the process executes the file that a path leads to now, directly or through its interpreter.
    func isStarted(by wanted: String) -> Bool {
        guard let wanted = try? Syscall.realPath(wanted) else { return false }
        if path == wanted { return true }
        // The path of a script is an argument of its interpreter. `argv[0]` does not count: it is the link by which
        // the program was started, and may lead elsewhere by now.
        return arguments.dropFirst().contains { argument in
            argument.hasPrefix("/") && (try? Syscall.realPath(argument)) == wanted
        }
    }
}
