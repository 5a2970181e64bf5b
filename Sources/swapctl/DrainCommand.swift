// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl

struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Have a generation finish its connections and leave.",
        discussion: """
            Without --generation the one that serves is drained: nobody serves after it, unless a \
            service manager starts the server again. A deadline sooner than the one under way counts.

            EXAMPLES:
              swapctl drain web
              swapctl drain web --generation 7 --deadline 10s
            """)

    @Argument(help: "The name of the service.")
    var service: String

    @Option(help: ArgumentHelp("Which generation (default: the one that serves).", valueName: "n"))
    var generation: Int?

    @Option(
        help: ArgumentHelp(
            "After what time it cuts the connections it still has (default: the server's).",
            valueName: "time"),
        transform: duration)
    var deadline: Duration?

    @OptionGroup var common: CommonOptions

    func run() throws {
        try Reporter.run(service, common) { service, reporter in
            let request = DrainRequest(service, generation: generation, deadline: deadline)
            let report = try request.run(pace: reporter.pace) { reporter.observe($0) }
            try reporter.conclude(.result(report), report.sentences, report.exitCode)
        }
    }
}
#endif
