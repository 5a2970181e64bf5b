// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl
import SwapReleases

struct AbortCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "abort",
        abstract: "Call off the upgrade in progress; the old generation serves on.",
        discussion: """
            The successor is ended, by force if it hangs, and the operator who asked for the upgrade \
            learns who called it off. An upgrade can be called off until the successor accepts \
            connections. After that only another upgrade leads back: `swapctl rollback`, or `swapctl \
            upgrade` with the former program.

            Exits 0 when the upgrade is undone, 1 when none is in progress ("no-upgrade") or the \
            successor serves already ("too-late"), 69 when nobody serves.

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
            let warnings = [UpgradeRecording.record(report, of: service)].compactMap { $0 }
            try reporter.conclude(
                .result(report, warnings: warnings), report.sentences, warnings: warnings, .done)
        }
    }
}
#endif
