// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SuccessionReleases
import SwapControl

struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Upgrade a server whenever current.conf names another release.",
        discussion: """
            Stays in the foreground. When current.conf changes, by an editor, a rename, a link or \
            `swapctl release use`, what it names is checked, the links app.bin and app.cfg are \
            turned, and the server is upgraded; of several changes the last one counts. If anything \
            fails, links and current.conf name again what serves, and the error names file, line and \
            key; what was refused is kept in .succession/refused.conf. A file that cannot be read \
            changes nothing, and is put back when it has not been completed in time.

            A server that does not run is started by the command after --, given now or to an \
            earlier watch, and outlives the watch; its program should be the link (/srv/app/app.bin). \
            Without a command starting it is left to others, a service manager for example, who \
            find the links turned; and an upgrade uses the server's own arguments.

            When the server has died the watch says so. With --start it starts it again, after half \
            a second, and after twice as long each time, up to a minute, if it does not serve for a \
            minute; end the watch before `swapctl stop`. Without, `swapctl release use` of what is \
            named already has it started.

            SIGTERM and SIGINT end the watch, after the switch that is under way. A watch that was \
            killed finds out at its next start what serves, and makes the rest agree with it.

            \(SiteOptions.help)

            EXAMPLES:
              swapctl watch web --current /srv/app/current.conf
              swapctl watch web --current /srv/app --check '$BIN_FILE --version'
              swapctl watch web --start --current /srv/app -- /srv/app/app.bin --service web --http tcp:8080
            """)

    @Argument(help: "The name of the service.", completion: Completions.services)
    var service: String

    @Option(
        help: ArgumentHelp(
            "How long a current.conf that cannot be read may stay so before it is put back (default: 2s).",
            valueName: "time"),
        transform: duration)
    var patience: Duration?

    @Flag(help: "Start the server again when it has died, after a pause that grows.")
    var start = false

    @OptionGroup var place: SiteOptions
    @OptionGroup var settings: SwitchSettings
    @OptionGroup var common: CommonOptions

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp(
            "After --: the program of the server, and its arguments.", valueName: "command"))
    var command: [String] = []

    func run() throws {
        try Reporter.run(service, common) { service, reporter in
            var copy = reporter
            let site = try place.site(service)
            let watcher = try Watcher(
                site, service, try settings.options(command), patience: patience ?? .seconds(2),
                startsAgain: start
            ) { report in
                copy.observe(report, site, service)
            }
            try watcher.run()
            reporter = copy
        }
    }
}

extension Reporter {
    mutating func observe(_ report: Watcher.Report, _ site: ReleaseSite, _ service: Service) {
        switch report {
        case .ready:
            WatchNotice.ready.send()
            let owner = site.rights.ownerName
            let rights = owner.map { ", with the rights of \($0)" } ?? ""
            if let owner { WatchNotice.status("Watching with the rights of \(owner)").send() }
            write(
                [
                    "event": "watching", "current": .string(site.currentPath),
                    "as": .optional(owner),
                ],
                "watching \(site.currentPath) for \(service.name)\(rights)")
        case .leaving: WatchNotice.leaving.send()
        case .note(let text):
            WatchNotice.status(text).send()
            write(["event": "note", "message": .string(text)], "swapctl: \(text.terminalSafe)")
        case .progress(let event): observe(event)
        case .outcome(let outcome):
            WatchNotice.status(outcome.sentence).send()
            write(outcome.json, outcome.sentence.terminalSafe)
            for warning in outcome.warnings {
                write(
                    ["event": "warning", "message": .string(warning)],
                    "swapctl: warning: \(warning)")
            }
        case .problem(let error):
            WatchNotice.status(error.message).send()
            write(
                .error(error, service: service.name, serving: .unknown), "swapctl: \(error.message)"
            )
        }
    }

    /// One object for programs, or a line for people among the progress.
    private mutating func write(_ object: JSONValue, _ line: String) {
        if isJSON {
            write(object)
        } else {
            StandardStream.error.write(closing() + line.terminalSafe + "\n")
        }
    }
}
#endif
