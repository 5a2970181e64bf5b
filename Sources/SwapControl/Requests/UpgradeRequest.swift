// SPDX-License-Identifier: Apache-2.0

package import SuccessionProtocol
import SuccessionSystem

/// The parameters of an upgrade.
///
/// The default asks the server to start its own program again, with its own arguments and its own deadlines.
public struct UpgradeRequest: Sendable {
    /// The program of the successor; nil: the server's own path and arguments.
    public var command: SuccessorCommand?
    /// Variables for the successor, on top of the server's environment, as `KEY=VALUE`.
    package private(set) var environment: [String] = []
    /// How long the successor may take to become ready; nil: the server's own limit.
    public var timeout: Duration?
    /// How long the predecessor may take to finish its connections before it cuts them; nil: the server's own limit.
    public var drainDeadline: Duration?
    /// Whether to return with the result, instead of when the predecessor's process has ended.
    public var isDetached = false
    /// Whether to cut the oldest generations if the service has as many as it may have.
    public var evictsOldest = false
    /// Whether to call the upgrade off if the successor does not take every listener.
    public var isStrict = false

    /// An upgrade to the server's own program, with its own limits.
    public init() {}

    /// Adds `KEY=VALUE`, or `KEY` with the value that it has in this process.
    ///
    /// Throws `usage` if there is no key, if the key is one of the library's own variables, or if `KEY` has no value
    /// in this process.
    public mutating func addEnvironment(_ change: String) throws(ControlError) {
        if change.hasPrefix("=") || change.isEmpty {
            throw .usage("--env '\(change.terminalSafe)' names no variable: write KEY=VALUE or KEY")
        }
        if let name = OwnVariables.name(in: change) {
            throw .usage(
                "--env \(name): the server sets this variable for each generation, and it cannot be set from outside"
            )
        }
        if change.contains("=") {
            environment.append(change)
            return
        }
        guard let value = ProcessEnvironment.value(change) else {
            throw .usage(
                "--env \(change.terminalSafe): the variable is not set here; write KEY=VALUE")
        }
        environment.append("\(change)=\(value)")
    }

    /// The message that asks for it.
    package var wire: Wire.Upgrade {
        Wire.Upgrade(
            timeout: timeout, drainDeadline: drainDeadline, isStrict: isStrict,
            executable: command?.executable, arguments: command?.arguments ?? [],
            environment: environment)
    }
}
