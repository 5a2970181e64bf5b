// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl
import SwapReleases

struct RollbackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Upgrade to the release that served before.",
        discussion: """
            Without --to this is the release that was committed before the one that serves, with the \
            configuration of that time. Afterwards current.conf and the links name it; if it does not \
            become ready, nothing has changed. --to may also name a release that never served here, \
            as in `swapctl release use`.

            If current.conf or the links name another release than the one that serves, as after an \
            upgrade that failed, they are restored instead, and the server is not upgraded.

            SIGINT, SIGTERM and SIGHUP do not end swapctl in the middle of the switch. If another \
            process changes current.conf meanwhile, that change stays.

            \(SiteOptions.help)

            EXAMPLES:
              swapctl rollback web
              swapctl rollback web --to app.1.0 --current /srv/app
            """)

    @Argument(help: "The name of the service.", completion: Completions.services)
    var service: String

    @Option(
        name: .customLong("to"),
        help: ArgumentHelp("The release to return to.", valueName: "release"))
    var release: String?

    @OptionGroup var place: SiteOptions
    @OptionGroup var settings: SwitchSettings
    @OptionGroup var common: CommonOptions

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp(
            "After --: the command that starts the server if it does not run.", valueName: "command"
        ))
    var command: [String] = []

    func run() throws {
        try Reporter.run(service, common) { service, reporter in
            var rollback = Rollback(
                try place.site(service), service, try settings.options(command))
            var copy = reporter
            let outcome = try rollback.run(to: release) { copy.observe($0) }
            reporter = copy
            try reporter.conclude(
                outcome.json, [outcome.sentence], warnings: outcome.warnings,
                outcome.exitCode)
        }
    }
}
#endif
