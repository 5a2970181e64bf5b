// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl
import SwapReleases

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show the journal: every change of the release, its time, author and result.",
        discussion: """
            The journal is .succession/journal beside current.conf. It has a line of JSON for every \
            upgrade by watch, deploy, rollback and upgrade, including those that failed or were \
            refused. Older lines are in journal.1. The table names as many files of a release as fit, \
            and counts the others; --json has all of them.

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
        if count < 1 { throw ValidationError("-n \(count): the number must be at least 1") }
    }

    func run() throws {
        try Reporter.run(json: common.json) { reporter in
            // The journal is a file: neither a server nor a runtime directory is needed.
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
