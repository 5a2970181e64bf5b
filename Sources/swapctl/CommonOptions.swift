// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl

/// Options of every verb.
struct CommonOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The directory of the service's control sockets, if it is not where its name says.",
            valueName: "dir"))
    var runtimeDirectory: String?

    @Flag(help: "Write one JSON object a line to standard output, and nothing for people.")
    var json = false
}

/// Reads an option that is a length of time.
func duration(_ text: String) throws -> Duration {
    guard let duration = DurationText.parse(text) else {
        throw ValidationError("'\(text)' is no length of time: \(DurationText.help)")
    }
    return duration
}
#endif
