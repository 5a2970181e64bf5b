// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser

/// The time limits of every verb that upgrades.
struct UpgradeTimes: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How long the successor may take to become ready (default: the server's, 60s).",
            valueName: "time"),
        transform: duration)
    var timeout: Duration?

    @Option(
        help: ArgumentHelp(
            "After this time the old generation cuts its open connections (default: the server's).",
            valueName: "time"),
        transform: duration)
    var drain: Duration?
}
#endif
