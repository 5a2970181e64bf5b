// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// Finds out what became of an upgrade whose connection ended before its result.
struct LostConnectionRecovery {
    private let client: ControlClient
    private let predecessor: GenerationReference
    /// The program that was to be started, by the path that was given.
    private let wanted: String

    init(_ client: ControlClient, _ predecessor: GenerationReference, wanted: String) {
        self.client = client
        self.predecessor = predecessor
        self.wanted = wanted
    }

    /// Returns when a newer generation serves, or the old one does and runs no upgrade, or another process in its
    /// place; throws after ten seconds.
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
            // Nobody can say when a successor begins to answer: the only ones who knew were the predecessor, which is
            // gone, and the successor itself. So the directory is looked at again, less and less often.
            _ = try? Syscall.poll([], timeoutMilliseconds: pause)
            pause = min(pause * 2, 200)
        }
    }

    /// Nil: it is not over.
    private func outcome(_ status: GenerationStatus) -> UpgradeOutcome? {
        switch LostConnectionVerdict(status, after: predecessor) {
        case .open: nil
        case .committed: committed(status.serving)
        case .unchanged:
            unchanged(
                status,
                UpgradeFailure(
                    code: "connection-lost",
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

    /// Whoever supervises the service has started what its links lead to, and that is most often what was asked for.
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
                    code: UpgradeFailure.restarted,
                    reason: "\(what), which executes \(path) and not \(wanted.terminalSafe)"))
        default:
            var outcome = unchanged(
                status,
                UpgradeFailure(
                    code: UpgradeFailure.restarted,
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
            code: "connection-lost",
            message: "the connection ended before the result; \(status.serving) is in state "
                + "'\(status.state)', and the upgrade goes on without swapctl",
            exitCode: .busy)
    }
}
