// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl
import SystemdUnits

struct UnitsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "units",
        abstract: "Write systemd units for a server.",
        discussion: """
            Prints a socket unit for each name of --listen, and the service unit: sandboxed, with a \
            comment on each line that is not obvious, and with an ExecReload= that upgrades the \
            server. A request that a unit cannot express is refused, with the reason.

            The name of a listener is the word by which the server asks for it; the default is the \
            name of the service. Addresses are tcp:8080, tcp:127.0.0.1:8080, tcp:[::1]:8080, udp:…, \
            unix:/path, unix-dgram:…, unix-seqpacket:…, vsock:PORT.

            EXAMPLES:
              swapctl units web --exec /srv/web/bin/web --listen http=tcp:8080 -- --service web
              swapctl units web --exec /srv/web/bin/web --listen http=tcp:8080 --output /etc/systemd/system
              swapctl units web --exec ~/web --listen tcp:8080 --user --output ~/.config/systemd/user
            """)

    @Argument(help: "The name of the service, and of its units.")
    var service: String

    @Option(
        name: .customLong("exec"),
        help: ArgumentHelp("The absolute path of the server.", valueName: "path"))
    var executable: String

    @Option(
        help: ArgumentHelp(
            "An address to listen on, and its name. May be repeated.",
            valueName: "[name=]address"))
    var listen: [String] = []

    @Flag(help: "No socket unit: the server binds, and stores its listeners with systemd.")
    var noSocket = false

    @Flag(help: "A template unit whose instances share the sockets: start one, stop the other.")
    var instances = false

    @Flag(help: "For the service manager of a user, instead of the system.")
    var user = false

    @Option(
        help: ArgumentHelp("The user of the service (default: a dynamic user).", valueName: "name"))
    var runAs: String?

    @Flag(help: "The server connects to others: leave it access to the network.")
    var network = false

    @Option(
        help: ArgumentHelp(
            "Restart a server that does not ping within this time.", valueName: "time"),
        transform: duration)
    var watchdog: Duration?

    @Option(
        help: ArgumentHelp(
            "How long the server lets an old generation drain (default: 30s).", valueName: "time"),
        transform: duration)
    var drain: Duration = .seconds(30)

    @Option(
        help: ArgumentHelp(
            "How long a successor may take to become ready (default: 60s).", valueName: "time"),
        transform: duration)
    var timeout: Duration = .seconds(60)

    @Option(
        help: ArgumentHelp(
            "The path of swapctl on the target (default: this one).", valueName: "path"))
    var swapctl: String?

    @Option(help: ArgumentHelp("Write the units to this directory.", valueName: "dir"))
    var output: String?

    @Flag(help: "With --output: replace existing units.")
    var force = false

    @Flag(help: "Write one JSON object a line to standard output, and no text for people.")
    var json = false

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("After --: the arguments of the server.", valueName: "arguments"))
    var arguments: [String] = []

    func validate() throws {
        if noSocket, instances {
            throw ValidationError("--instances needs socket units: leave --no-socket out")
        }
    }

    func run() throws {
        var common = CommonOptions()
        common.json = json
        var reporter = Reporter(common)
        do {
            for file in try UnitFile.all(request()) {
                try show(file, &reporter)
            }
        } catch let error as ControlError {
            throw reporter.fail(error, service: nil)
        }
    }

    private func show(_ file: UnitFile, _ reporter: inout Reporter) throws {
        let isNew = try output.map { try file.write(to: $0, replacing: force) }
        if json {
            reporter.write(.unit(file, directory: output))
        } else if let output {
            let state = isNew == true ? "written" : "is there already"
            StandardStream.output.write("\(output)/\(file.name) \(state)\n")
        } else {
            StandardStream.output.write("# \(file.name)\n\(file.text)\n")
        }
    }

    private func request() throws -> UnitRequest {
        var request = try UnitRequest(
            service: service, executable: executable, listeners: listen, swapctl: swapctl)
        request.arguments = arguments
        request.layout = noSocket ? .binding : instances ? .instances : .activated
        request.isForUserManager = user
        request.usesNetwork = network
        request.user = runAs
        request.watchdog = watchdog
        request.drain = drain
        request.timeout = timeout
        return request
    }
}
#endif
