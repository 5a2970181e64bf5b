// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem

/// What an operator asks the serving generation to do.
package struct UpgradeRequest: Sendable {
    /// Nil: the server starts itself again, by its own path and with its own arguments.
    package var command: SuccessorCommand?
    /// Changes to the environment, `KEY=VALUE`.
    package private(set) var environment: [String] = []
    /// For the successor to become ready; nil: what the server's author chose.
    package var timeout: Duration?
    /// For the predecessor to finish its connections; nil: what the server's author chose.
    package var drainDeadline: Duration?
    /// Whether to leave after the result instead of waiting until the predecessor is gone.
    package var isDetached = false
    /// Whether old generations are cut, the oldest first, where a successor would be one too many.
    package var evictsOldest = false
    /// Whether an upgrade is called off whose successor does not take every listener.
    package var isStrict = false

    package init() {}

    /// Adds `KEY=VALUE`, or `KEY` with the value it has in the caller's environment.
    package mutating func addEnvironment(_ change: String) throws(ControlError) {
        if change.hasPrefix("=") || change.isEmpty {
            throw .usage("--env '\(change.terminalSafe)' names no variable: write KEY=VALUE or KEY")
        }
        if let name = OwnVariables.name(in: change) {
            throw .usage(
                "--env \(name): it speaks of one process alone, and a successor is never given it from outside"
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

    var message: Message {
        var message = Message(.upgrade)
        if let timeout { message.add(.timeout, timeout.wholeMilliseconds) }
        if let drainDeadline { message.add(.drain, drainDeadline.wholeMilliseconds) }
        if isStrict { message.add(.strict, 1) }
        if let command {
            message.add("EXECUTABLE", command.executable)
            for argument in command.arguments { message.add("ARG", argument) }
        }
        for change in environment { message.add("ENV", change) }
        return message
    }
}
