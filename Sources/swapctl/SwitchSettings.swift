// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl
import SwapReleases

/// Options of the verbs that switch from one release to another.
struct SwitchSettings: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A shell command that must succeed first; $BIN_FILE, $CFG_FILE … are the files.",
            valueName: "command"))
    var check: String?

    @Option(
        help: ArgumentHelp("How long --check may take (default: 60s).", valueName: "time"),
        transform: duration)
    var checkTimeout: Duration?

    @OptionGroup var times: UpgradeTimes

    @Option(
        help: ArgumentHelp(
            "The output of a server that swapctl starts; -: this standard error, but no terminal if the server runs as another user (default: .succession/SERVICE.log).",
            valueName: "path"))
    var log: String?

    func options(_ command: [String]) throws -> SwitchOptions {
        var options = SwitchOptions()
        options.command = try SuccessorCommand(command)
        options.check = check
        if let checkTimeout { options.checkTimeout = checkTimeout }
        options.readyTimeout = times.timeout
        options.drain = times.drain
        options.log = log
        return options
    }
}
#endif
