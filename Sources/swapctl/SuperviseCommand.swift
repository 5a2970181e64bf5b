// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl

struct SuperviseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "supervise",
        abstract: "Run a server in the foreground, through every upgrade.",
        discussion: """
            For supervisors that wait for the process they have started and take its end for the \
            service's: runit, s6, daemontools, supervisord, tini and dumb-init, and as process 1 of a \
            container. It starts the server and stays, whatever generation serves; it holds no \
            listener and no connection. It ends with the exit status of the last generation, or 128 \
            and the number of the signal that ended it.

            SIGTERM, SIGINT and SIGQUIT go to every generation; SIGHUP, SIGUSR1 and SIGUSR2 to the \
            one that serves. Orphans are adopted and waited for. It cannot hand on SIGKILL: have the \
            supervisor wait for the server's drain.

            systemd needs nothing of the kind: see 'swapctl units'.

            EXAMPLES:
              exec swapctl supervise web -- /srv/web/bin/web --service web --http tcp:8080
              swapctl supervise web --pidfile /run/web.pid -- web --service web
            """)

    @Argument(help: "The name of the service.", completion: Completions.services)
    var service: String

    @Option(
        help: ArgumentHelp(
            "Write the number of this process to a file, while it runs.", valueName: "path"))
    var pidfile: String?

    @Option(
        help: ArgumentHelp(
            "The directory of the service's control sockets, if it is not where its name says.",
            valueName: "dir"))
    var runtimeDirectory: String?

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("After --: the server, and its arguments.", valueName: "command"))
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
