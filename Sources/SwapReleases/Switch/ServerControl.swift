// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// The server of a site: its status, its upgrade, and the command that starts it.
struct ServerControl {
    let site: ReleaseSite
    let service: Service
    let options: SwitchOptions
    /// Becomes readable when a signal asks this process to end; nil: signals end it themselves.
    var signals: CInt?

    enum Answer {
        /// The serving generation, the predecessor that still drains, and a warning for the operator.
        case serves(GenerationReference, leaving: Upgrade.Leaving?, warning: String?)
        /// The reason of the failure, and the generation that serves nevertheless.
        case unchanged(String, GenerationReference?)
        case unknown(String)
    }

    /// The status of the serving generation; nil if none serves.
    ///
    /// Throws if that is not known: the server does not answer, or swapctl may not ask it.
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

    /// The process of a generation, as /proc shows it to swapctl's own user.
    func process(_ status: GenerationStatus) -> ServerProcess? {
        site.rights.asCaller { ServerProcess(status) }
    }

    /// Whether the serving process executes the program that `current.conf` names; true if that
    /// cannot be told.
    func isServed(
        _ current: CurrentFile, by status: GenerationStatus, _ record: ServingRecord? = nil
    ) -> Bool {
        guard let program = current.selection.program, let process = process(status) else {
            return true
        }
        if let isServed = process.executes(program, in: site) { return isServed }
        // The program may be started by a wrapper, or be a script of an interpreter.
        return process.switchID != nil && process.switchID == record?.id
    }

    /// A sentence, if the serving generation certainly executes another release than this program.
    func otherRelease(than program: String?) -> String? {
        guard let program, let status = try? serving(), let process = process(status),
            process.executesAnotherRelease(than: program, in: site)
        else { return nil }
        return "\(status.serving) of \(service.name) executes \(process.program), which is not "
            + "\(program) as seen from here"
    }

    // MARK: - Upgrade

    /// Upgrades the server to the program that the link leads to, with `id` in the environment of the
    /// successor.
    ///
    /// Waits first for an upgrade that another process has requested. Throws `busy` if a server refuses
    /// for longer than ``SwitchOptions/busyPatience`` although its status shows no upgrade, and on a
    /// signal during the wait.
    func upgrade(
        _ id: String, _ observe: @escaping (ControlEvent) -> Void
    ) throws(ControlError) -> Answer {
        var wait: BusyWait?
        while true {
            do {
                try checkUser()
                let upgrade = Upgrade(service, try request(id), progressMode: options.progressMode)
                let isFirst = wait == nil
                let (outcome, leaving) = try site.rights.asCaller { () throws(ControlError) in
                    try upgrade.decide { event in
                        // The wait is one step, however often the server is asked.
                        if case .asked = event, !isFirst { return }
                        observe(event)
                    }
                }
                wait?.finish(.done)
                return answer(outcome, leaving)
            } catch {
                if error.code == .busy {
                    var begun = wait ?? BusyWait(error, options.busyPatience, observe)
                    wait = begun
                    do throws(ControlError) {
                        if try awaitQuiet(until: begun.deadline) == nil { throw error }
                        try pause(&begun, after: error)
                    } catch {
                        begun.finish(.failed)
                        throw error
                    }
                    wait = begun
                    continue
                }
                wait?.finish(.failed)
                if error.code == .timeout || error.code == .connectionLost {
                    return .unknown(error.message)
                }
                throw error
            }
        }
    }

    /// The wait for a server that refuses an upgrade because it is busy.
    private struct BusyWait {
        /// In monotonic nanoseconds; an upgrade of others in all this time is longer than its deadlines.
        let deadline: UInt64
        /// How much longer the server may refuse without an upgrade in its status, in milliseconds.
        var left: Int
        var pause = 50
        private let step: ShownStep

        init(
            _ refusal: ControlError, _ patience: Duration,
            _ observe: @escaping (ControlEvent) -> Void
        ) {
            deadline = Syscall.monotonicNanoseconds() + ServerControl.longestUpgrade
            left = patience.wholeMilliseconds
            step = ShownStep("wait", refusal.message, observe)
        }

        func finish(_ event: SwitchStateMachine.Event) { _ = step.end(event) }
    }

    /// The server is busy with something that its status does not show.
    private func pause(_ wait: inout BusyWait, after refusal: ControlError) throws(ControlError) {
        if wait.left <= 0 || Syscall.monotonicNanoseconds() >= wait.deadline { throw refusal }
        let length = min(wait.pause, wait.left)
        wait.left -= length
        wait.pause = min(wait.pause * 2, 1_000)
        try pause(milliseconds: CInt(length))
    }

    /// Throws `busy` if a signal arrives, or has arrived.
    private func pause(milliseconds: CInt) throws(ControlError) {
        let ready = try? Syscall.poll(
            [(fd: signals ?? -1, events: Syscall.pollIn)], timeoutMilliseconds: milliseconds)
        if signals != nil, let ready, ready[0] != 0 {
            throw .busy(
                "a signal has ended the wait for \(service.name), which was busy with another upgrade"
            )
        }
    }

    /// Throws if a server of root would execute a program from the site of another user.
    private func checkUser() throws(ControlError) {
        guard let owner = site.rights.owner, let status = try serving() else { return }
        let name = SiteRights.name(owner.userID)
        let users = site.rights.asCaller { () -> Set<UInt32>? in
            status.visibleProcessID.flatMap { ServerProcess.users(Int32(clamping: $0)) }
        }
        guard let users else {
            throw ControlError(
                code: "permission",
                message: "the user of \(status.serving) of \(service.name) cannot be seen from "
                    + "here, and \(site.directory) belongs to \(name); run swapctl as \(name), or "
                    + "where the server's processes can be seen",
                exitCode: .permission)
        }
        guard users.contains(0) else { return }
        throw ControlError(
            code: "permission",
            message: "\(status.serving) of \(service.name) runs as root, and \(site.directory) "
                + "belongs to \(name), who would decide what root executes; run the server as "
                + "\(name), or give the site to root by `chown -Rh root: \(site.directory)`",
            exitCode: .permission)
    }

    private func request(_ id: String) throws(ControlError) -> UpgradeRequest {
        var request = UpgradeRequest()
        request.command =
            options.command
            ?? SuccessorCommand(executable: site.linkPath(SelectedFiles.program))
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

    /// Waits until the server runs no upgrade, and returns its status; nil if no generation serves.
    ///
    /// Throws `busy` at `end`, in monotonic nanoseconds, and on a signal; nil: after ten minutes.
    func awaitQuiet(until end: UInt64? = nil) throws(ControlError) -> GenerationStatus? {
        let deadline = end ?? Syscall.monotonicNanoseconds() + Self.longestUpgrade
        var pause: CInt = 5
        while true {
            guard let status = try serving() else { return nil }
            if status.upgrade == nil, status.isServing { return status }
            if Syscall.monotonicNanoseconds() > deadline {
                throw .busy(
                    "\(status.serving) of \(service.name) has been '\(status.state)' for 10 min")
            }
            // Only the process that requested the upgrade is told of its end.
            try self.pause(milliseconds: pause)
            pause = min(pause * 2, 200)
        }
    }

    /// Ten minutes in nanoseconds: longer than the deadlines of an upgrade.
    private static let longestUpgrade: UInt64 = 600_000_000_000

    // MARK: - Command

    /// Throws if there is a recorded command that this process must not run.
    func checkCommand(_ record: ServingRecord?) throws(ControlError) {
        guard let problem = foreignCommand(record) else { return }
        throw ControlError(code: "permission", message: problem, exitCode: .permission)
    }

    /// Why the recorded command is not run; nil if it may be run, or if there is none.
    func foreignCommand(_ record: ServingRecord?) -> String? {
        guard options.command == nil, let writer = record?.foreignWriter else { return nil }
        return "nobody serves \(service.name), and swapctl does not run the command in "
            + "\(site.servingPath): "
            + "the file belongs to \(SiteRights.name(writer)), and the command would run as "
            + "\(SiteRights.name(site.rights.userID)); give the command after --"
    }

    /// The command that starts this server: the operator's, else the recorded one; empty if swapctl
    /// does not start it, because a service manager does, for example.
    func command(_ recorded: [String]?) -> [String] {
        guard let command = options.command else { return recorded ?? [] }
        return [command.executable] + command.arguments.dropFirst()
    }
}
