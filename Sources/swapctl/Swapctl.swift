// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl

@main
struct Swapctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swapctl",
        abstract: "Replaces a running server by its successor, and nobody notices.",
        discussion: """
            A service is found by its name: in $SUCCESSION_RUNTIME_DIRECTORY, in the first entry of \
            $RUNTIME_DIRECTORY, in /run/SERVICE for root, or in $XDG_RUNTIME_DIR/SERVICE. Times are \
            500ms, 30s, 2m, 1h, or a number of seconds.

            Progress goes to standard error, results go to standard output; the last line says who \
            serves now. With --json each line of standard output is one object.

            EXIT STATUS:
            \(SwapControl.ExitCode.table)

            The server does the work: interrupting swapctl, or killing it, stops nothing.
            """,
        version: "0.1.0",
        subcommands: [
            UpgradeCommand.self, AbortCommand.self, StatusCommand.self, ReloadCommand.self,
            DrainCommand.self, StopCommand.self, SuperviseCommand.self,
            UnitsCommand.self,
            ReleaseCommand.self, DeployCommand.self, WatchCommand.self, RollbackCommand.self,
            HistoryCommand.self,
        ])

    /// What was begun is carried to its end, though nobody reads of it any more.
    static func main() {
        StandardStream.outliveReaders()
        // Where /proc is missing Swift's own CommandLine is empty, and nothing would be done.
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
