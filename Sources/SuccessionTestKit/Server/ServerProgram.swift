// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl

/// A program with its arguments, in which placeholders stand for what is known when the server is started.
struct ServerProgram: Sendable {
    /// As a shell finds it: with a slash from the working directory, else in `PATH`.
    var path: String
    /// Without `argv[0]`.
    var arguments: [String]
    /// Variables on top of those of this process.
    var environment: [String: String]

    /// What placeholders stand for.
    struct Values: Sendable {
        var port: UInt16
        var directory: String
    }

    static let port = "{test-port}"
    static let directory = "{test-directory}"

    static func filled(_ text: String, _ values: Values) -> String {
        replacing(
            replacing(text, port, "\(values.port)"), directory, values.directory)
    }

    private static func replacing(_ text: String, _ placeholder: String, _ value: String) -> String
    {
        var result = ""
        var rest = text[...]
        while let start = rest.firstIndex(of: "{") {
            result += rest[..<start]
            rest = rest[start...]
            if rest.hasPrefix(placeholder) {
                result += value
                rest = rest.dropFirst(placeholder.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return result + rest
    }

    /// Throws `usage` if the path cannot be resolved.
    func command(_ values: Values) throws(TestUpgradeError) -> SuccessorCommand {
        do {
            guard
                let command = try SuccessorCommand(
                    [path] + arguments.map { Self.filled($0, values) })
            else { throw ControlError.usage("the command is empty") }
            return command
        } catch let error as ControlError {
            throw TestUpgradeError(.cannotStart, error.message)
        } catch {
            throw TestUpgradeError(.cannotStart, "\(error)")
        }
    }

    /// Variables that speak of this process, or of the manager that runs it.
    private static let foreign: Set<String> = [
        "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_FDS", "LISTEN_PID",
        "LISTEN_FDNAMES", "LISTEN_PIDFDID", "FDSTORE", "MAINPID", "RUNTIME_DIRECTORY",
    ]

    /// The variables of this process, without those that would tie the server to another service manager or service,
    /// and those of the test.
    func variables(_ values: Values, runtimeDirectory: String) -> [String] {
        var own: [String: String] = [:]
        for variable in ProcessEnvironment.snapshot() {
            let parts = variable.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            if Self.foreign.contains(name) || name.hasPrefix("SUCCESSION_") { continue }
            own[name] = parts.count == 2 ? String(parts[1]) : ""
        }
        // The process that waits for the server is the test, which does not take the end of a generation for the end
        // of the service.
        own["SUCCESSION_FOREGROUND"] = "off"
        own.merge(environment.mapValues { Self.filled($0, values) }) { $1 }
        own["SUCCESSION_RUNTIME_DIRECTORY"] = runtimeDirectory
        return own.map { "\($0)=\($1)" }
    }
}
