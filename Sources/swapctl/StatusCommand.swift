// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl
import SwapReleases
import SystemdUnits

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract:
            "Show the generations of a service, their listeners, and the connections that keep an old one alive.",
        discussion: """
            Without a name all services are shown. A 'stale' generation ended without removing its \
            control socket; a 'silent' one is alive and does not answer.

            For a service in a systemd unit it also shows what the manager reports, and warns of each \
            setting that does harm, with the line to change.

            For one service the exit status is 0 if a generation serves, 4 if one is starting, and 69 \
            if none serves or the only ones drain. With --wait it asks again until a generation \
            serves, for scripts that go on when a server is up.

            EXAMPLES:
              swapctl status
              swapctl status web --wait 30s
              swapctl status web --json
            """)

    @Argument(
        help: "The name of the service; all services if none is given.",
        completion: Completions.services)
    var service: String?

    @Option(
        help: ArgumentHelp(
            "Wait until a generation serves, for at most this time.", valueName: "time"),
        transform: duration)
    var wait: Duration?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if wait != nil, service == nil {
            throw ValidationError("--wait is for one service: give its name")
        }
    }

    func run() throws {
        if let service {
            try Reporter.run(service, common) { service, reporter in
                let report =
                    if let wait { try StatusReport.ask(service, untilServing: wait) } else {
                        try StatusReport.ask(service)
                    }
                try show(report, &reporter, isOneOfMany: false)
            }
        } else {
            try showAll()
        }
    }

    private func show(
        _ report: StatusReport, _ reporter: inout Reporter, isOneOfMany: Bool
    ) throws {
        // Runs no program for a service without a unit.
        let manager = ManagerReport.ask(report)
        let site = report.serving == nil ? nil : SiteAccess.of(report.service)
        if common.json {
            for object in JSONValue.status(report) { reporter.write(object) }
            if let manager { reporter.write(.manager(manager, service: report.service.name)) }
            if let site { reporter.write(site.json) }
        } else {
            let lines =
                StatusTable.lines(report, isOneOfMany: isOneOfMany) + (manager?.lines ?? [])
                + (site?.lines ?? [])
            StandardStream.output.write(lines.map { $0.terminalSafe + "\n" }.joined())
        }
        if report.exitCode != .done, !isOneOfMany {
            throw ArgumentParser.ExitCode(report.exitCode.rawValue)
        }
    }

    /// Shows every service; one that cannot be asked does not hide the others.
    private func showAll() throws {
        var reporter = Reporter(common)
        let services: [Service]
        do {
            services = try ServiceList.all(runtimeDirectory: common.runtimeDirectory)
        } catch {
            throw reporter.fail(error, service: nil)
        }
        var isFirst = true
        for service in services {
            if !isFirst, !common.json { StandardStream.output.write("\n") }
            isFirst = false
            do {
                try show(try StatusReport.ask(service), &reporter, isOneOfMany: true)
            } catch let error as ControlError {
                if common.json {
                    reporter.write(.error(error, service: service.name, serving: .unknown))
                } else {
                    StandardStream.output.write("\(service.name)  \(error.message.terminalSafe)\n")
                }
            }
        }
    }
}
#endif
