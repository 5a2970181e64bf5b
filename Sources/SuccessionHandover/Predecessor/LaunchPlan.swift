// SPDX-License-Identifier: Apache-2.0

import SuccessionActivation
import SuccessionProtocol
package import SuccessionSystem

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
    /// A successor that leaves a listener is called off.
    package var wantsAllTaken = false
    /// The path by which the successor knows itself, if it is not executed by that.
    package var ownPath: String?

    package init() {}

    /// By it a successor is known, and all that it starts: no two upgrades have the same.
    let mark = "SUCCESSION_ATTEMPT=" + String(UInt64.random(in: 0 ... .max), radix: 36)

    /// Numbers of the descriptors in the successor.
    package static let channelNumber: CInt = 3
    package static let standardErrorNumber: CInt = 4

    /// Without `capturedError` the successor has this process's standard error from the beginning.
    package func request(
        own: OwnProgram, channel: OwnedDescriptor, capturedError: OwnedDescriptor?,
        asSibling: Bool
    ) -> SpawnRequest {
        var request = SpawnRequest(
            path: executable ?? own.path,
            arguments: arguments ?? own.arguments,
            environment: environment(),
            descriptors: [(source: channel.rawValue, target: Self.channelNumber)],
            setsListenPID: false, newSession: false, asSibling: asSibling, workingDirectory: nil)
        if let capturedError {
            request.descriptors += [
                (source: capturedError.rawValue, target: 2),
                (source: 2, target: Self.standardErrorNumber),
            ]
            request.environment.append("SUCCESSION_STDERR=\(Self.standardErrorNumber)")
        }
        request.ignoredSignals = own.ignoredSignals
        return request
    }

    /// Ends what a successor that has failed has started: a script's helpers, which would keep an
    /// address, or a lock, from the next one.
    ///
    /// On a thread of its own: the kernel may hold up who looks at another process.
    package func endDescendants() {
        let mark = mark
        try? startThread(name: "succession-end") { MarkedProcesses.kill(mark) }
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
        variables.append(mark)
        if let ownPath { variables.append("SUCCESSION_EXECUTABLE=\(ownPath)") }
        return variables
    }

    private static func key(_ entry: String) -> String {
        String(decoding: entry.utf8.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
    }
}
