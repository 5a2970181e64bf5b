// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl

@main
struct Swapctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swapctl",
        abstract: "Replace a running server without refusing or cutting a connection.",
        discussion: """
            The control sockets of a service are in $SUCCESSION_RUNTIME_DIRECTORY, in the first entry \
            of $RUNTIME_DIRECTORY, in /run/SERVICE for root, or in $XDG_RUNTIME_DIR/SERVICE. A time is \
            500ms, 30s, 2m, 1h, or a number of seconds.

            Progress goes to standard error and results to standard output; the last line says which \
            generation serves. With --json each line of standard output is one object, described by \
            the JSON Schema files in share/doc/swift-succession/schema.

            EXIT STATUS:
            \(SwapControl.ExitCode.table)

            The server does the work: interrupting or killing swapctl stops nothing.
            """,
        version: "0.1.0",
        subcommands: [
            UpgradeCommand.self, AbortCommand.self, StatusCommand.self, ReloadCommand.self,
            DrainCommand.self, StopCommand.self, SuperviseCommand.self,
            UnitsCommand.self,
            ReleaseCommand.self, DeployCommand.self, WatchCommand.self, RollbackCommand.self,
            HistoryCommand.self,
        ])

    /// Runs a verb to its end even if the reader of its output closes the pipe.
    static func main() {
        StandardStream.outliveReaders()
        // Swift's CommandLine is empty where /proc is not mounted.
        main(Terminal.arguments())
    }
}
#else
import SwapControl

@main
enum Swapctl {
    static func main() {
        StandardStream.error.write("swapctl: this binary was built without the package trait CLI\n")
        ExitCode.usage.leave()
    }
}
#endif
