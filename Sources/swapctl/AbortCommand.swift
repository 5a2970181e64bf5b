// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl
import SwapReleases

struct AbortCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "abort",
        abstract: "Call off the upgrade that runs; the old generation serves on.",
        discussion: """
            The successor is ended, by force if it hangs, and whoever asked for the upgrade is told \
            who called it off. This is possible until the successor accepts; after that it serves, \
            and only another upgrade leads back: `swapctl rollback`, or `swapctl upgrade` with the \
            former program.

            Exits 0 when the upgrade is undone, 1 when none runs ("no-upgrade") or the successor has \
            taken over already ("too-late"), 69 when nobody serves.

            EXAMPLES:
              swapctl abort web
              swapctl abort web --json
            """)

    @Argument(help: "The name of the service.")
    var service: String

    @OptionGroup var common: CommonOptions

    func run() throws {
        try Reporter.run(service, common) { service, reporter in
            let report = try Abort(service).run()
            try reporter.conclude(
                .result(report), report.sentences,
                warning: UpgradeRecording.record(report, of: service),
                .done)
        }
    }
}
#endif
