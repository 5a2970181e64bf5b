// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl
import SwapReleases

struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Upgrade a server whenever current.conf names another release.",
        discussion: """
            Stays in the foreground. When current.conf changes, by an editor, a rename, a link or \
            `swapctl release use`, the watch checks the named files, changes the links app.bin and \
            app.cfg, and upgrades the server; of several changes the last one wins. If any step fails, \
            the links and current.conf name what serves again, and the error has file, line and key; \
            the refused text is kept in .succession/refused.conf. A current.conf that cannot be read \
            changes nothing; if it is not completed in time, it is restored.

            The command after --, given now or to an earlier watch, starts a server that does not run. \
            The server outlives the watch; its program should be the link (/srv/app/app.bin). Without \
            a command the watch does not start the server: a service manager, for example, starts it \
            by the links. An upgrade uses the server's own arguments then.

            The watch reports when the server has died. With --start it starts the server again, after \
            half a second, and after a pause that doubles up to a minute until the server has served \
            for a minute; end the watch before `swapctl stop`. Without --start, naming the same \
            release by `swapctl release use` starts the server.

            SIGTERM and SIGINT end the watch after a switch that has begun. After a kill, the next \
            watch finds out what serves, and makes the site agree.

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
            "How long a current.conf may stay unreadable before it is restored (default: 2s).",
            valueName: "time"),
        transform: duration)
    var patience: Duration?

    @Flag(help: "Start the server again when it has died, after a growing pause.")
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
            WatchNotification.ready.send()
            let owner = site.rights.ownerName
            let rights = owner.map { ", with the rights of \($0)" } ?? ""
            if let owner { WatchNotification.status("Watching with the rights of \(owner)").send() }
            write(
                [
                    "event": "watching", "current": .string(site.currentPath),
                    "as": .optional(owner),
                ],
                "watching \(site.currentPath) for \(service.name)\(rights)")
        case .stopping: WatchNotification.stopping.send()
        case .note(let text):
            WatchNotification.status(text).send()
            write(["event": "note", "message": .string(text)], "swapctl: \(text.terminalSafe)")
        case .progress(let event): observe(event)
        case .outcome(let outcome):
            WatchNotification.status(outcome.sentence).send()
            write(outcome.json, outcome.sentence.terminalSafe)
            for warning in outcome.warnings {
                write(
                    ["event": "warning", "message": .string(warning)],
                    "swapctl: warning: \(warning)")
            }
        case .problem(let error):
            WatchNotification.status(error.message).send()
            write(
                .error(error, service: service.name, serving: .unknown), "swapctl: \(error.message)"
            )
        }
    }

    /// Writes a JSON object, or a line for the operator between those of the progress.
    private mutating func write(_ object: JSONValue, _ line: String) {
        if isJSON {
            write(object)
        } else {
            StandardStream.error.write(closing() + line.terminalSafe + "\n")
        }
    }
}
#endif
