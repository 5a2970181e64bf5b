// SPDX-License-Identifier: Apache-2.0

package import SuccessionSystem

/// How this process was started.
package struct OwnProgram: Sendable, Hashable {
    /// Absolute, with links not followed.
    package let path: String
    /// The file to which that led then; empty where /proc is not mounted.
    package let file: String
    package let arguments: [String]
    /// SIGPIPE by service managers, SIGHUP by nohup, SIGINT and SIGQUIT by a shell in the background.
    package let ignoredSignals: IgnoredSignals

    /// - Parameter path: the path by which the predecessor knows this program, if it has said so.
    package static func current(path: String? = nil) -> OwnProgram {
        OwnProgram(
            path: path ?? ProcessEnvironment.invokedPath(),
            file: ProcessEnvironment.executablePath,
            arguments: ProcessEnvironment.arguments(), ignoredSignals: .inherited())
    }
}
