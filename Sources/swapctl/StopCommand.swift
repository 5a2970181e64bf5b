// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl

struct StopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Make every generation cut its connections and leave.",
        discussion: """
            Returns when the processes of all generations have ended. Use drain to let connections finish.

            EXAMPLES:
              swapctl stop web
            """)

    @Argument(help: "The name of the service.", completion: Completions.services)
    var service: String

    @OptionGroup var common: CommonOptions

    func run() throws {
        try Reporter.run(service, common) { service, reporter in
            let report = try StopRequest(service).run(progressMode: reporter.progressMode) {
                reporter.observe($0)
            }
            try reporter.conclude(.result(report), report.sentences, report.exitCode)
        }
    }
}
#endif
