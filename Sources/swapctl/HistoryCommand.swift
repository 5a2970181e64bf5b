// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl
import SwapReleases

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show what was made to serve, when, by whom, and what became of it.",
        discussion: """
            The journal is .succession/journal beside current.conf: a line of JSON for every upgrade \
            by watch, deploy and rollback, also for those that failed or were refused. Where it has \
            grown too long, what is older lies in journal.1. Files that have no room in the table \
            are counted; --json has all of them.

            \(SiteOptions.help)

            EXAMPLES:
              swapctl history web --current /srv/app
              swapctl history web -n 3 --json
            """)

    @Argument(help: "The name of the service.", completion: Completions.services)
    var service: String

    @Option(
        name: .customShort("n"), help: ArgumentHelp("Show the last n entries.", valueName: "n"))
    var count = 20

    @OptionGroup var place: SiteOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if count < 1 { throw ValidationError("-n \(count): at least one") }
    }

    func run() throws {
        try Reporter.run(json: common.json) { reporter in
            // The journal is a file: no server need be found, nor a place where it would be.
            let found: Service?
            do throws(ControlError) {
                found = try Service.locate(service, runtimeDirectory: common.runtimeDirectory)
            } catch {
                guard error.exitCode == .noService else { throw error }
                found = nil
            }
            let site = try place.site(found)
            let journal = try Journal.read(site).of(service)
            reporter.list(
                journal.entries.suffix(count).map(\.json), journal.lines(site, last: count),
                json: common.json)
        }
    }
}
#endif
