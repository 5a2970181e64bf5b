// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl
import SwapReleases

struct UpgradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Start a successor, hand it the listeners, and let the old generation finish.",
        discussion: """
            Without a command the server starts its own path again, with its own arguments: put the \
            new release at that path, or change the link that leads to it, and upgrade. If the \
            successor does not become ready, the old generation serves on and no client notices; the \
            last lines of the successor's standard error are shown.

            A command is resolved here: a path with a slash from the working directory, a name without \
            one in PATH. The successor gets exactly the given arguments.

            Interrupting swapctl does not stop the upgrade, which the server carries out; `swapctl \
            abort` calls it off. After SIGTERM swapctl waits 4 s for the result, because a manager that \
            stops the unit stops the server too, which calls the upgrade off. The exit status is then \
            1, or 0 as a command of a unit (MAINPID is set), which would fail otherwise.

            A service has a maximum number of generations (4, unless the author of the server chose \
            otherwise), the new one included. An upgrade beyond it is refused with status 5, and the \
            message names the old generations and what keeps them.

            EXAMPLES:
              swapctl upgrade web
              swapctl upgrade web --drain 5m --detach
              swapctl upgrade web --evict-oldest
              swapctl upgrade web --env LOG_LEVEL=debug -- /srv/web-2.1/bin/web --port 8080
            """)

    @Argument(help: "The name of the service.", completion: Completions.services)
    var service: String

    @OptionGroup var times: UpgradeTimes

    @Flag(
        help: "Return when the successor serves, without waiting for the old generation to leave.")
    var detach = false

    @Flag(
        help: ArgumentHelp(
            "If the service has its maximum of generations, cut the oldest instead of failing."
        ))
    var evictOldest = false

    @Flag(help: "Call the upgrade off if the successor does not take every listener.")
    var strict = false

    @Option(
        name: .customLong("env"),
        help: ArgumentHelp(
            "An environment variable for the successor; KEY alone takes its value from swapctl's environment. May be repeated.",
            valueName: "KEY=VALUE"))
    var environment: [String] = []

    @OptionGroup var common: CommonOptions

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp(
            "After --: the program of the successor and its arguments.", valueName: "command"))
    var command: [String] = []

    func run() throws {
        let interruption = Interruption.bySignals()
        try Reporter.run(service, common) { service, reporter in
            let upgrade = Upgrade(
                service, try request(), progressMode: reporter.progressMode,
                interruption: interruption)
            let outcome = try upgrade.run { reporter.observe($0) }
            let recording = outcome.goesOn ? nil : UpgradeRecording.record(outcome, of: service)
            let warnings = [outcome.warning, recording].compactMap { $0 }
            try reporter.conclude(
                .result(outcome, warnings: warnings), [outcome.summary], warnings: warnings,
                outcome.exitCode)
        }
    }

    private func request() throws -> UpgradeRequest {
        var request = UpgradeRequest()
        request.timeout = times.timeout
        request.drainDeadline = times.drain
        request.isDetached = detach
        request.evictsOldest = evictOldest
        request.isStrict = strict
        request.command = try SuccessorCommand(command)
        for change in environment { try request.addEnvironment(change) }
        return request
    }
}
#endif
