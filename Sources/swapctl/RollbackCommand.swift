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
            Without --to it is the one that was committed before what serves now, with the \
            configuration of then. If current.conf or the links name something else than what \
            serves, as after an upgrade that failed, they name again what serves, and the server is \
            left alone; nothing is upgraded then. current.conf and the links say so afterwards; if the old release \
            does not become ready, nothing has changed. A release that never served here may be \
            named too, as in `swapctl release use`. SIGINT, SIGTERM and SIGHUP do not end it in the \
            middle of the switch; if somebody changes current.conf meanwhile, his change stays.

            \(SiteOptions.help)

            EXAMPLES:
              swapctl rollback web
              swapctl rollback web --to app.1.0 --current /srv/app
            """)

    @Argument(help: "The name of the service.", completion: Completions.services)
    var service: String

    @Option(
        name: .customLong("to"),
        help: ArgumentHelp("The release to go back to.", valueName: "release"))
    var release: String?

    @OptionGroup var place: SiteOptions
    @OptionGroup var settings: SwitchSettings
    @OptionGroup var common: CommonOptions

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp(
            "After --: how the server is started if it does not run.", valueName: "command"))
    var command: [String] = []

    func run() throws {
        try Reporter.run(service, common) { service, reporter in
            let rollback = Rollback(
                try place.site(service), service, try settings.options(command))
            var copy = reporter
            let outcome = try rollback.run(to: release) { copy.observe($0) }
            reporter = copy
            try reporter.conclude(
                outcome.json, [outcome.sentence], warning: outcome.warnings.first,
                outcome.exitCode)
        }
    }
}
#endif
