// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl
import SwapReleases

struct DeployCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy",
        abstract: "Name another release and upgrade the server to it, or change nothing.",
        discussion: """
            Does what `swapctl release use` and `swapctl upgrade` do, as one operation: checks the \
            files, names them in current.conf, changes the links, and upgrades the server. If any \
            step fails, current.conf and the links name what serves again, and the exit status is \
            that of the upgrade. Releases are named as in `swapctl release use`.

            The successor is started by the link app.bin with the arguments of the server, or by the \
            command after --. That command also starts a server that does not run. SIGINT, SIGTERM \
            and SIGHUP do not end swapctl in the middle of the switch. While the old generation \
            drains they do, and the drain goes on.

            \(SiteOptions.help)

            EXAMPLES:
              swapctl deploy web 1.2
              swapctl deploy web app.1.2 cfg.1.1 --current /srv/app --drain 5m
              swapctl deploy web app.f00ba12 --check '$BIN_FILE --version' --detach
            """)

    @Argument(help: "The name of the service.")
    var service: String

    @Argument(help: "The releases; after --, the program of the successor and its arguments.")
    var releases: [String]

    @Flag(help: "Return when the successor serves; do not wait for the end of the old generation.")
    var detach = false

    @Flag(
        help: ArgumentHelp(
            "If the maximum of living generations is reached, cut the oldest instead of failing."
        ))
    var evictOldest = false

    @Flag(help: "Abort the upgrade if the successor does not take every listener.")
    var strict = false

    @Option(
        name: .customLong("env"),
        help: ArgumentHelp(
            "A variable for the successor; KEY alone takes its value from here. May be repeated.",
            valueName: "KEY=VALUE"))
    var environment: [String] = []

    @OptionGroup var place: SiteOptions
    @OptionGroup var settings: SwitchSettings
    @OptionGroup var common: CommonOptions

    /// The arguments after `--`, which the parser appends to the list of releases.
    private var command: [String] {
        let given = Terminal.arguments()
        guard let end = given.firstIndex(of: "--") else { return [] }
        let behind = given[(end + 1)...]
        return releases.suffix(behind.count).elementsEqual(behind) ? Array(behind) : []
    }

    func validate() throws {
        if releases.count == command.count {
            throw ValidationError("no release is named before --")
        }
    }

    func run() throws {
        try Reporter.run(service, common) { service, reporter in
            var options = try settings.options(command)
            options.environment = environment
            options.evictsOldest = evictOldest
            options.isStrict = strict
            options.progressMode = reporter.progressMode
            let deployment = Deployment(
                try place.site(service), service, options, isDetached: detach)
            try reporter.deploy(deployment, releases.dropLast(command.count))
        }
    }
}

extension Reporter {
    /// Deploys releases, and exits with the status of the upgrade.
    mutating func deploy(_ deployment: Deployment, _ releases: some Sequence<String>) throws {
        var copy = self
        let outcome = try deployment.run(Array(releases)) { copy.observe($0) }
        self = copy
        try conclude(
            outcome.json, [outcome.sentence.terminalSafe], warnings: outcome.warnings,
            outcome.exitCode)
    }
}
#endif
