// SPDX-License-Identifier: Apache-2.0

package import SwapControl

/// How releases are checked, and how servers are upgraded and started.
package struct SwitchOptions: Sendable {
    /// The program and its arguments, for a start and for every upgrade; nil: those of the server that
    /// runs, or ran last.
    package var command: SuccessorCommand?
    /// A shell command that must succeed before a switch to a release.
    package var check: String?
    package var checkTimeout: Duration = .seconds(60)
    /// How long the successor may take to become ready; nil: the server's own limit, and one minute
    /// for a start.
    package var readyTimeout: Duration?
    /// How long a server may refuse an upgrade as busy although its status shows no other upgrade.
    package var busyPatience: Duration = .seconds(10)
    /// The drain deadline of the predecessor; nil: the server's own.
    package var drain: Duration?
    /// Where a server that swapctl starts writes its output; `-`: to this process's standard error;
    /// nil: to `.succession/SERVICE.log`.
    package var log: String?
    /// Changes to the environment of the successor, `KEY=VALUE` or `KEY`.
    package var environment: [String] = []
    /// Whether the oldest generations are cut if a successor would exceed the maximum.
    package var evictsOldest = false
    /// Whether the upgrade is aborted if the successor does not take every listener.
    package var isStrict = false
    package var progressMode = ProgressMode.quiet
    /// Called before and after each step: test fixtures end the process here.
    package var onStep: @Sendable (String) -> Void = { _ in }

    package init() {}
}
