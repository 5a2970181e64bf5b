// SPDX-License-Identifier: Apache-2.0

package import SwapControl

/// How releases are tried and servers started.
package struct SwitchOptions: Sendable {
    /// The program and its arguments, for a start and for every upgrade; nil: as it runs, or ran last.
    package var command: SuccessorCommand?
    /// A line for the shell that must succeed before a release is tried.
    package var check: String?
    package var checkTimeout: Duration = .seconds(60)
    /// For the successor to become ready; nil: what the server's author chose, and a minute for a
    /// start.
    package var readyTimeout: Duration?
    /// For the predecessor to finish; nil: what the server's author chose.
    package var drain: Duration?
    /// Where a server that is started writes; `-`: where this process does; nil: to `.succession`.
    package var log: String?
    /// Changes to the environment of the successor, `KEY=VALUE` or `KEY`.
    package var environment: [String] = []
    /// Whether old generations are cut, the oldest first, where a successor would be one too many.
    package var evictsOldest = false
    /// Whether an upgrade is called off whose successor does not take every listener.
    package var isStrict = false
    package var progressMode = ProgressMode.quiet
    /// Called before and after each step: the place where fixtures of the test suite die.
    package var onStep: @Sendable (String) -> Void = { _ in }

    package init() {}
}
