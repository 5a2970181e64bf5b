// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl
import SwapReleases

struct ReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Keep releases side by side, and name the current one.",
        discussion: """
            In one directory, say /srv/app, release/ holds every version: files such as app.1.0 and \
            cfg.1.0, or a directory for each version. current.conf names the current files:

              {"bin.file": "~/app/release/app.1.0", "cfg.file": "~/app/release/cfg.1.0"}

            For each key X.file a link app.X leads to its file: the server is started by app.bin. \
            .succession/ holds checksums, the journal, records and locks.

            \(SiteOptions.help)

            EXAMPLES:
              swapctl release add build/app --as app.1.1 --current /srv/app
              swapctl release use 1.1 --current /srv/app
              swapctl release list --current /srv/app
              swapctl release prune --keep 3 --current /srv/app
            """,
        subcommands: [
            ReleaseListCommand.self, ReleaseAddCommand.self, ReleaseUseCommand.self,
            ReleasePruneCommand.self,
        ])
}

struct ReleaseListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show the releases, their checksums, and what uses them.",
        discussion: """
            \(SiteOptions.help)

            EXAMPLES:
              swapctl release list --current /srv/app/current.conf
            """)

    @OptionGroup var place: SiteOptions

    @Flag(help: "Write one JSON object a line to standard output, and nothing for people.")
    var json = false

    func run() throws {
        try Reporter.run(json: json) { reporter in
            let list = try ReleaseList.read(try place.site())
            reporter.list(list.json, list.lines, json: json)
        }
    }
}

struct ReleaseAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Copy a file or a directory into the release directory.",
        discussion: """
            The release is complete or absent, even after a crash. Its checksum is recorded, and \
            compared before the release serves. A release never changes: a name that another release \
            has is refused.

            \(SiteOptions.help)

            EXAMPLES:
              swapctl release add build/app --as app.1.1 --current /srv/app
              swapctl release add upload/2.0 --current /srv/app
            """)

    @Argument(help: "The file or the directory to copy.")
    var path: String

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp(
            "The name of the release (default: that of the file).", valueName: "name"))
    var releaseName: String?

    @Option(
        name: .customLong("sha256"),
        help: ArgumentHelp("The checksum it must have.", valueName: "digits"))
    var checksum: String?

    @OptionGroup var place: SiteOptions

    @Flag(help: "Write one JSON object a line to standard output, and nothing for people.")
    var json = false

    func run() throws {
        try Reporter.run(json: json) { reporter in
            let added = try ReleaseAddition.add(
                path, as: releaseName, to: try place.site(), expected: checksum)
            try reporter.conclude(added.json, [added.sentence], .done)
        }
    }
}

struct ReleaseUseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "use",
        abstract: "Name another release in current.conf.",
        discussion: """
            A release is named by its file (app.1.1), by a version that several files have (1.1 for \
            app.1.1 and cfg.1.1), by its directory, or with its key (cfg=cfg.1.1). swapctl checks the \
            files, then replaces current.conf in one step, and keeps its other keys. If `swapctl \
            watch` runs, it then upgrades the server; if not, the links are changed too, and `swapctl \
            upgrade` does the rest.

            \(SiteOptions.help)

            EXAMPLES:
              swapctl release use 1.1 --current /srv/app
              swapctl release use app.1.1 cfg.1.0 --current /srv/app
              swapctl release use bin=1.1/app --current /srv/app
              swapctl release use 1.1 --wait --current /srv/app
            """)

    @Argument(help: "The releases.", completion: Completions.releases)
    var releases: [String]

    @Flag(help: "Upgrade the server, and wait for it, as `swapctl deploy` does.")
    var wait = false

    @Option(
        help: ArgumentHelp(
            "With --wait: the service (default: the recorded one).", valueName: "service"))
    var service: String?

    @OptionGroup var place: SiteOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if service != nil, !wait {
            throw ValidationError("--service \(service ?? ""): the option needs --wait")
        }
    }

    func run() throws {
        guard wait else { return try name() }
        let site: ReleaseSite
        let found: Service
        do throws(ControlError) {
            (site, found) = try locate()
        } catch {
            var reporter = Reporter(common)
            throw reporter.fail(error, service: nil)
        }
        try Reporter.run(found, common) { service, reporter in
            var options = SwitchOptions()
            options.progressMode = reporter.progressMode
            try reporter.deploy(Deployment(site, service, options), releases)
        }
    }

    private func name() throws {
        try Reporter.run(json: common.json) { reporter in
            let use = try ReleaseSelection.use(releases, in: try place.site())
            try reporter.conclude(use.json, [use.sentence], .done)
        }
    }

    private func locate() throws(ControlError) -> (ReleaseSite, Service) {
        let given: Service?
        if let service {
            given = try Service.locate(service, runtimeDirectory: common.runtimeDirectory)
        } else {
            given = nil
        }
        let site = try place.site(given)
        if let given { return (site, given) }
        if let recorded = try Deployment.recordedService(site) { return (site, recorded) }
        throw ControlError(
            code: "usage",
            message: "no service is recorded in \(site.directory) yet: give its name with "
                + "--service, or run `swapctl deploy SERVICE RELEASE`",
            exitCode: .usage)
    }
}

struct ReleasePruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove old releases that are not needed any more.",
        discussion: """
            Of each name, such as app in app.1.0 and app.1.1, the releases that served last or were \
            added last are kept. A release is never removed while current.conf names it, a link leads \
            to it, a rollback would return to it, or a living process executes it: a generation that \
            still drains keeps its release. Nothing is removed if a living generation cannot be seen \
            from here, because it runs in a container, for example.

            \(SiteOptions.help)

            EXAMPLES:
              swapctl release prune --keep 3 --current /srv/app
              swapctl release prune --keep 3 --dry-run --service web
            """)

    @Option(help: ArgumentHelp("How many versions of each name are kept.", valueName: "n"))
    var keep = 5

    @Option(
        help: ArgumentHelp(
            "A service whose generations are checked, in addition to the recorded one.",
            valueName: "service"))
    var service: [String] = []

    @Flag(help: "Show what would be removed, and remove nothing.")
    var dryRun = false

    @OptionGroup var place: SiteOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if keep < 1 { throw ValidationError("--keep \(keep): the number must be at least 1") }
    }

    func run() throws {
        try Reporter.run(json: common.json) { reporter in
            let services = try service.map {
                try Service.locate($0, runtimeDirectory: common.runtimeDirectory)
            }
            let pruning = try ReleasePruning.prune(
                try place.site(services.first), keeping: keep, services: services, dryRun: dryRun)
            try reporter.conclude(pruning.json, pruning.sentences, .done)
        }
    }
}
#endif
