// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl

/// The options of every verb that addresses a service.
struct CommonOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The directory of the service's control sockets (default: found by its name).",
            valueName: "dir"))
    var runtimeDirectory: String?

    @Flag(help: "Write one JSON object a line to standard output, and no text for people.")
    var json = false
}

/// Parses an option whose value is a duration.
func duration(_ text: String) throws -> Duration {
    guard let duration = DurationText.parse(text) else {
        throw ValidationError("'\(text)' is not a duration: \(DurationText.help)")
    }
    return duration
}
#endif
