// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SuccessionReleases
import SwapControl

struct UpgradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Start a successor, hand it the listeners, and let the old generation finish.",
        discussion: """
            Without a command the server starts itself again, by the same path and with the same \
            arguments: put the new release under that path, or turn the link that leads to it, and \
            upgrade. If the successor does not become ready, the old generation serves on as if \
            nothing had happened; the last lines of the successor's standard error are shown.

            A command is looked for from here: a path with a slash from this directory, a name \
            without one in PATH. It needs all arguments, its name being the first.

            Interrupting swapctl does not stop the upgrade, which the server carries out: it says so, \
            and `swapctl abort` calls it off. After SIGTERM it waits some seconds for the result, for \
            a manager that stops the unit stops the server too, and that calls the upgrade off; its exit \
            status is then 1, and 0 only as a command of a unit (MAINPID is set), which would else fail.

            A server lets only so many generations live at once (4, unless its author chose \
            otherwise), the new one among them: an upgrade that would be one too many is refused with \
            status 5, and says who is still here and why.

            EXAMPLES:
              swapctl upgrade web
              swapctl upgrade web --drain 5m --detach
              swapctl upgrade web --evict-oldest
              swapctl upgrade web --env LOG_LEVEL=debug -- /srv/web-2.1/bin/web --port 8080
            """)

    @Argument(help: "The name of the service.", completion: Completions.services)
    var service: String

    @OptionGroup var times: UpgradeTimes

    @Flag(help: "Return when the successor serves; do not wait until the old generation is gone.")
    var detach = false

    @Flag(
        help: ArgumentHelp(
            "Where as many generations live as may, cut the oldest and upgrade, instead of failing."
        ))
    var evictOldest = false

    @Flag(help: "Call the upgrade off if the successor does not take every listener.")
    var strict = false

    @Option(
        name: .customLong("env"),
        help: ArgumentHelp(
            "A variable for the successor; KEY alone takes the value it has here. May be repeated.",
            valueName: "KEY=VALUE"))
    var environment: [String] = []

    @OptionGroup var common: CommonOptions

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp(
            "After --: the program of the successor, and its arguments.", valueName: "command"))
    var command: [String] = []

    func run() throws {
        Interruption.begin()
        try Reporter.run(service, common) { service, reporter in
            let upgrade = Upgrade(service, try request(), progressMode: reporter.progressMode)
            let outcome = try upgrade.run { reporter.observe($0) }
            let warning = outcome.goesOn ? nil : PlainUpgrade.record(outcome, of: service)
            try reporter.conclude(
                .result(outcome), [outcome.sentence], warning: outcome.warning ?? warning,
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
