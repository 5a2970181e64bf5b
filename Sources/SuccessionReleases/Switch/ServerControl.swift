// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// Makes a server serve what the links lead to: upgrades the one that runs, or starts one.
struct ServerControl {
    let site: ReleaseSite
    let service: Service
    let options: SwitchOptions

    enum Answer {
        /// With the predecessor that has still to leave, and what else is to be told.
        case serves(GenerationReference, leaving: Upgrade.Leaving?, warning: String?)
        /// The reason, and who serves in spite of it.
        case unchanged(String, GenerationReference?)
        case unknown(String)
    }

    /// Who serves; nil: nobody.
    ///
    /// Throws if that cannot be told: a server that does not answer, or may not be asked.
    func serving() throws(ControlError) -> GenerationStatus? {
        do {
            return try site.rights.asCaller { () throws(ControlError) in
                try ControlClient(service).servingStatus()
            }
        } catch {
            if error.exitCode == .noService { return nil }
            throw error
        }
    }

    /// What /proc tells of a generation, whoever's it is.
    func process(_ status: GenerationStatus) -> ServerProcess? {
        site.rights.asCaller { ServerProcess(status) }
    }

    // MARK: - Upgrade

    /// Has the server start a successor by the link to the program, with `id` in its environment.
    ///
    /// An upgrade somebody else has asked for is waited for first.
    func upgrade(_ id: String, _ observe: (ControlEvent) -> Void) throws(ControlError) -> Answer {
        while true {
            do {
                try checkUser()
                let upgrade = Upgrade(service, try request(id), progressMode: options.progressMode)
                let (outcome, leaving) = try site.rights.asCaller { () throws(ControlError) in
                    try upgrade.decide(observe)
                }
                return answer(outcome, leaving)
            } catch {
                if error.exitCode == .busy, try awaitQuiet() != nil {
                    // Busy and quiet at once: something that no status tells of.
                    _ = try? Syscall.poll([], timeoutMilliseconds: 50)
                    continue
                }
                if error.code == "timeout" || error.code == "connection-lost" {
                    return .unknown(error.message)
                }
                throw error
            }
        }
    }

    /// Throws if the owner of the site would so decide what root executes.
    private func checkUser() throws(ControlError) {
        guard let owner = site.rights.owner, let status = try serving() else { return }
        let name = SiteRights.name(owner.userID)
        let users = site.rights.asCaller { () -> Set<UInt32>? in
            status.visibleProcessID.flatMap { ServerProcess.users(Int32(clamping: $0)) }
        }
        guard let users else {
            throw ControlError(
                code: "permission",
                message: "as whom \(status.serving) of \(service.name) runs cannot be seen from "
                    + "here, and \(site.directory) belongs to \(name); run swapctl as \(name), or "
                    + "where the server's processes can be seen",
                exitCode: .permission)
        }
        guard users.contains(0) else { return }
        throw ControlError(
            code: "permission",
            message: "\(status.serving) of \(service.name) runs as root, and \(site.directory) "
                + "belongs to \(name), who would so decide what root executes; run the server as "
                + "\(name), or give the site to root by `chown -Rh root: \(site.directory)`",
            exitCode: .permission)
    }

    private func request(_ id: String) throws(ControlError) -> UpgradeRequest {
        var request = UpgradeRequest()
        request.command =
            options.command
            ?? SuccessorCommand(executable: site.linkPath(Selection.program))
        request.timeout = options.readyTimeout
        request.drainDeadline = options.drain
        request.evictsOldest = options.evictsOldest
        request.isStrict = options.isStrict
        for change in options.environment { try request.addEnvironment(change) }
        try request.addEnvironment("\(ServerProcess.switchVariable)=\(id)")
        return request
    }

    private func answer(_ outcome: UpgradeOutcome, _ leaving: Upgrade.Leaving?) -> Answer {
        switch outcome.result {
        case .committed(let serving):
            return .serves(serving, leaving: leaving, warning: outcome.warning)
        case .unchanged(let failure) where outcome.isInDoubt: return .unknown(failure.reason)
        case .unchanged(let failure):
            var reason = failure.reason
            if let end = failure.end, !reason.contains(end) { reason += "; it \(end)" }
            if let last = failure.standardError.last { reason += ": \(last)" }
            return .unchanged(reason.terminalSafe, outcome.serving)
        }
    }

    /// Returns when the server runs no upgrade, with what it then says; nil if nobody serves.
    ///
    /// Throws after ten minutes, in which every deadline of an upgrade passes.
    func awaitQuiet() throws(ControlError) -> GenerationStatus? {
        let deadline = Syscall.monotonicNanoseconds() + 600_000_000_000
        var pause: CInt = 5
        while true {
            guard let status = try serving() else { return nil }
            if status.upgrade == nil, status.isServing { return status }
            if Syscall.monotonicNanoseconds() > deadline {
                throw .busy(
                    "\(status.serving) of \(service.name) has been '\(status.state)' for 10 min")
            }
            // Whoever asked for the upgrade is told of its end; others can only look again.
            _ = try? Syscall.poll([], timeoutMilliseconds: pause)
            pause = min(pause * 2, 200)
        }
    }

    // MARK: - Command

    /// Throws if there is a command, and not one that this process may run.
    func checkCommand(_ record: ServingRecord?) throws(ControlError) {
        guard let problem = foreignCommand(record) else { return }
        throw ControlError(code: "permission", message: problem, exitCode: .permission)
    }

    /// Why a command that is recorded is not run; nil: it is, or there is none.
    func foreignCommand(_ record: ServingRecord?) -> String? {
        guard options.command == nil, let writer = record?.foreignWriter else { return nil }
        return "nobody serves \(service.name), and the command in \(site.servingPath) is not run: "
            + "the file belongs to \(SiteRights.name(writer)), and the command would run as "
            + "\(SiteRights.name(site.rights.userID)); give the command after --"
    }

    /// How this server is started: as the operator says now, or said before; empty: never, because
    /// somebody else does, a service manager for example.
    func command(_ recorded: [String]?) -> [String] {
        guard let command = options.command else { return recorded ?? [] }
        return [command.executable] + command.arguments.dropFirst()
    }
}
