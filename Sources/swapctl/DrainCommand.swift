// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl

struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Make a generation finish its connections and leave.",
        discussion: """
            Without --generation the serving generation drains: nobody serves after it, unless a \
            service manager starts the server again. On a terminal swapctl asks first; --yes answers. \
            During a drain a second one can bring the deadline forward, and cannot extend it.

            EXAMPLES:
              swapctl drain web
              swapctl drain web --generation 7 --deadline 10s
            """)

    @Argument(help: "The name of the service.", completion: Completions.services)
    var service: String

    @Option(
        help: ArgumentHelp(
            "The number of the generation (default: the one that serves).", valueName: "n"),
        completion: Completions.generations)
    var generation: Int?

    @Option(
        help: ArgumentHelp(
            "After this time the generation cuts its open connections (default: the server's).",
            valueName: "time"),
        transform: duration)
    var deadline: Duration?

    @Flag(help: "Do not ask before the serving generation drains.")
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

    /// Warns if nobody will serve after the drain, and asks for consent on a terminal.
    private func confirm(_ request: DrainRequest, _ service: Service) throws {
        guard !yes, !common.json, let serving = try request.serving() else { return }
        let warning = "\(serving) serves \(service.name), and nobody does when it has drained"
        if Terminal.isInteractive {
            guard Terminal.confirms("\(warning): drain it?") else {
                StandardStream.output.write("\(service.name): \(serving) is serving\n")
                throw ArgumentParser.ExitCode(SwapControl.ExitCode.unchanged.rawValue)
            }
        } else {
            StandardStream.error.write("swapctl: \(warning)\n")
        }
    }
}
#endif
