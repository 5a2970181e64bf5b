// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl

struct SuperviseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "supervise",
        abstract: "Run a server in the foreground, through every upgrade.",
        discussion: """
            For supervisors that take the end of the process they started for the end of the service: \
            runit, s6, daemontools, supervisord, tini and dumb-init, and as process 1 of a container. \
            swapctl starts the server and stays through all its generations; it holds no listener and \
            no connection. It ends with the exit status of the last generation, or 128 plus the number \
            of the signal that ended it.

            SIGTERM, SIGINT and SIGQUIT go to every generation; SIGHUP, SIGUSR1 and SIGUSR2 to the \
            serving one. Orphans are adopted and reaped. SIGKILL cannot be passed on: make the \
            supervisor wait for the server's drain.

            With systemd it is not needed: see 'swapctl units'.

            EXAMPLES:
              exec swapctl supervise web -- /srv/web/bin/web --service web --http tcp:8080
              swapctl supervise web --pidfile /run/web.pid -- web --service web
            """)

    @Argument(help: "The name of the service.", completion: Completions.services)
    var service: String

    @Option(
        help: ArgumentHelp(
            "Write the pid of swapctl to this file, and remove the file at the end.",
            valueName: "path"))
    var pidfile: String?

    @Option(
        help: ArgumentHelp(
            "The directory of the service's control sockets (default: found by its name).",
            valueName: "dir"))
    var runtimeDirectory: String?

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("After --: the server and its arguments.", valueName: "command"))
    var command: [String] = []

    func run() throws {
        var common = CommonOptions()
        common.json = false
        common.runtimeDirectory = runtimeDirectory
        var status: Int32 = 0
        try Reporter.run(service, common) { service, _ in
            guard let command = try SuccessorCommand(command) else {
                throw ValidationError("no server: write its command after --")
            }
            status = try Supervise(service, command, pidFile: pidfile).run()
        }
        if status != 0 { throw ArgumentParser.ExitCode(status) }
    }
}
#endif
