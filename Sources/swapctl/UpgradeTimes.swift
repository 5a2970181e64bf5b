// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser

/// Options of every verb that upgrades: how long either generation may take.
struct UpgradeTimes: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How long the successor may take to become ready (default: the server's, 60s).",
            valueName: "time"),
        transform: duration)
    var timeout: Duration?

    @Option(
        help: ArgumentHelp(
            "After what time the old generation cuts the connections it still has (default: the server's).",
            valueName: "time"),
        transform: duration)
    var drain: Duration?
}
#endif
