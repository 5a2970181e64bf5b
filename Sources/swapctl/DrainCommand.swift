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
            service manager starts the server again. On a terminal that is asked before; --yes answers. \
            A deadline sooner than the one under way counts.

            EXAMPLES:
              swapctl drain web
              swapctl drain web --generation 7 --deadline 10s
            """)

    @Argument(help: "The name of the service.", completion: Completions.services)
    var service: String

    @Option(
        help: ArgumentHelp("Which generation (default: the one that serves).", valueName: "n"),
        completion: Completions.generations)
    var generation: Int?

    @Option(
        help: ArgumentHelp(
            "After what time it cuts the connections it still has (default: the server's).",
            valueName: "time"),
        transform: duration)
    var deadline: Duration?

    @Flag(help: "Do not ask whether the generation that serves shall leave.")
    var yes = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        try Reporter.run(service, common) { service, reporter in
            let request = DrainRequest(service, generation: generation, deadline: deadline)
            try confirm(request, service)
            let report = try request.run(progressMode: reporter.progressMode) {
                reporter.observe($0)
            }
            try reporter.conclude(.result(report), report.sentences, report.exitCode)
        }
    }

    /// Says that nobody will serve, if that is so, and has a person at a terminal say yes.
    private func confirm(_ request: DrainRequest, _ service: Service) throws {
        guard !yes, !common.json, let serving = try request.serving() else { return }
        let news = "\(serving) serves \(service.name), and nobody does when it has drained"
        if Terminal.isInteractive {
            guard Terminal.confirms("\(news): drain it?") else {
                StandardStream.output.write("\(service.name): \(serving) is serving\n")
                throw ArgumentParser.ExitCode(SwapControl.ExitCode.unchanged.rawValue)
            }
        } else {
            StandardStream.error.write("swapctl: \(news)\n")
        }
    }
}
#endif
