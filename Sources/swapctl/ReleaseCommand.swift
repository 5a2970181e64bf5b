// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SuccessionReleases
import SwapControl

struct ReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Keep releases side by side, and name the current one.",
        discussion: """
            Below one directory, say /srv/app, release/ holds every version: files as app.1.0 and \
            cfg.1.0, or a directory for each. current.conf names the current ones:

              {"bin.file": "~/app/release/app.1.0", "cfg.file": "~/app/release/cfg.1.0"}

            and for each key X.file a link app.X points to its file: app.bin is what the server is \
            started by. .succession/ beside them holds checksums, the journal and locks.

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
        abstract: "Show the releases, their checksums, and who uses them.",
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
            The release is there as a whole or not at all, also after a crash. Its checksum is \
            recorded, and compared before it is served. A release does not change: a name that is \
            taken by something else is refused.

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
            app.1.1 and cfg.1.1), by its directory, or with the key it is for (cfg=cfg.1.1). The \
            files are checked first; current.conf is replaced in one step, and what it says beside \
            is kept. `swapctl watch` then upgrades the server; where nobody watches, the links are \
            turned too, and `swapctl upgrade` does the rest.

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
            "With --wait: the service (default: the one recorded here).", valueName: "service"))
    var service: String?

    @OptionGroup var place: SiteOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if service != nil, !wait {
            throw ValidationError("--service \(service ?? ""): only --wait asks a service")
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
            let use = try ReleaseUse.use(releases, in: try place.site())
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
        abstract: "Remove old releases that nobody needs.",
        discussion: """
            Of app.1.0, app.1.1 … those are kept that served last, or were added last, as are those of \
            cfg and of every other name. What current.conf names, a link points to, a rollback would \
            return to, or a living process executes is never removed, however old: a generation that \
            still drains keeps its release. Nothing is removed if a living generation cannot be seen \
            from here, in a container for example.

            \(SiteOptions.help)

            EXAMPLES:
              swapctl release prune --keep 3 --current /srv/app
              swapctl release prune --keep 3 --dry-run --service web
            """)

    @Option(help: ArgumentHelp("How many versions of each name stay.", valueName: "n"))
    var keep = 5

    @Option(
        help: ArgumentHelp(
            "A service whose generations are looked at, beside those recorded here.",
            valueName: "service"))
    var service: [String] = []

    @Flag(help: "Say what would be removed, and remove nothing.")
    var dryRun = false

    @OptionGroup var place: SiteOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if keep < 1 { throw ValidationError("--keep \(keep): at least one must stay") }
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
