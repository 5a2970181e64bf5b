// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl

struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Make the serving generation read its configuration again, without a successor.",
        discussion: """
            The application accepts, or refuses with a reason and keeps the old configuration. \
            Requests in progress finish with the configuration they began with. During an upgrade a \
            reload is refused: the successor reads the configuration when it starts.

            EXAMPLES:
              swapctl reload web
              swapctl reload web --timeout 5s --json
            """)

    @Argument(help: "The name of the service.", completion: Completions.services)
    var service: String

    @Option(
        help: ArgumentHelp(
            "How long the application may take to answer (default: the server's, 30s).",
            valueName: "time"),
        transform: duration)
    var timeout: Duration?

    @OptionGroup var common: CommonOptions

    func run() throws {
        try Reporter.run(service, common) { service, reporter in
            let report = try Reload(service, timeout: timeout).run()
            try reporter.conclude(.result(report), [report.sentence], .done)
        }
    }
}
#endif
