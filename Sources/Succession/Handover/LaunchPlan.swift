// SPDX-License-Identifier: Apache-2.0

import SuccessionActivation
import SuccessionProtocol
import SuccessionSystem

/// How a successor is started: what the operator asked for, and the rest as this process was
/// started.
package struct LaunchPlan: Sendable, Hashable {
    /// Absolute path; nil: the path by which this process was started, looked up anew, so that a
    /// link to the current release leads to the new one.
    package var executable: String?
    /// From `argv[0]` on; nil: this process's own.
    package var arguments: [String]?
    /// `KEY=VALUE` sets, `KEY=` empties.
    package var environmentChanges: [String] = []
    package var readyTimeout: Duration?
    package var drainDeadline: Duration?

    package init() {}

    /// Numbers of the descriptors in the successor.
    static let channelNumber: CInt = 3
    static let standardErrorNumber: CInt = 4

    func request(
        own: OwnProgram, channel: OwnedDescriptor, capturedError: OwnedDescriptor,
        asSibling: Bool
    ) -> SpawnRequest {
        var request = SpawnRequest(
            path: executable ?? own.path,
            arguments: arguments ?? own.arguments,
            environment: environment(),
            descriptors: [
                (source: capturedError.rawValue, target: 2),
                (source: channel.rawValue, target: Self.channelNumber),
                (source: 2, target: Self.standardErrorNumber),
            ],
            setsListenPID: false, newSession: false, asSibling: asSibling, workingDirectory: nil)
        request.ignoredSignals = own.ignoredSignals
        return request
    }

    private func environment() -> [String] {
        // Without WATCHDOG_PID a watchdog that is another process's would seem to be everyone's.
        let hasWatchdog = ServiceManager.watchdogInterval() != nil
        var variables = ProcessEnvironment.snapshot().filter { entry in
            if OwnVariables.name(in: entry) != nil { return false }
            return hasWatchdog || !entry.utf8.starts(with: "WATCHDOG_USEC=".utf8)
        }
        for change in environmentChanges {
            let key = Self.key(change)
            variables.removeAll { Self.key($0) == key }
            variables.append(change)
        }
        variables.append("SUCCESSION_CHANNEL=\(Self.channelNumber)")
        variables.append("SUCCESSION_STDERR=\(Self.standardErrorNumber)")
        return variables
    }

    private static func key(_ entry: String) -> String {
        String(decoding: entry.utf8.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
    }
}

/// How this process was started.
struct OwnProgram: Sendable, Hashable {
    /// Absolute, with links not followed.
    let path: String
    /// The file to which that led then; empty where /proc is not mounted.
    let file: String
    let arguments: [String]
    /// SIGPIPE by service managers, SIGHUP by nohup, SIGINT and SIGQUIT by a shell in the background.
    let ignoredSignals: IgnoredSignals

    static func current() -> OwnProgram {
        OwnProgram(
            path: ProcessEnvironment.invokedPath(), file: ProcessEnvironment.executablePath,
            arguments: ProcessEnvironment.arguments(),
            ignoredSignals: .inherited())
    }
}
