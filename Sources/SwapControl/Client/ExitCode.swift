// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// How a request ended, as `swapctl` tells its caller.
package enum ExitCode: Int32, Sendable, Hashable, CaseIterable {
    /// Done: the upgrade is committed, the generation has left, the status is printed.
    case done = 0
    /// The upgrade failed, and the predecessor serves on as before; or the application refused a
    /// reload.
    case unchanged = 1
    /// Done, but connections were cut, or the generation did not leave in time.
    case cut = 2
    /// Whether another release serves cannot be told, or could not be written down.
    case unknown = 3
    /// A generation lives and builds its server: nobody serves yet.
    case notYet = 4
    /// As many generations live as may: no successor was started.
    case tooManyGenerations = 5
    case usage = 64
    case noService = 69
    /// A file could not be written: a full disk, a file system that is read-only.
    case inputOutput = 74
    case busy = 75
    case protocolViolation = 76
    case permission = 77
    /// `current.conf`, or a file it names, is not as it must be.
    case configuration = 78

    /// The table of all codes, for the help.
    package static var table: String {
        allCases.map { code in
            let number = "\(code.rawValue)"
            return "  \(number.padded(to: 4))\(code.meaning)"
        }.joined(separator: "\n")
    }

    /// Ends the process.
    package func leave() -> Never {
        ProcessExit.immediately(status: rawValue)
    }

    private var meaning: String {
        switch self {
        case .done: "done; after upgrade: the successor serves"
        case .unchanged:
            "unchanged: the upgrade failed, the reload was refused, or there was nothing to abort"
        case .cut: "done, but connections were cut, or the generation stays"
        case .unknown:
            "not known, or not recorded, which release serves; the next watch or rollback sees"
        case .notYet: "of status: a generation is starting, and nobody serves yet"
        case .tooManyGenerations:
            "not upgraded: as many generations live as may; wait, or use --evict-oldest"
        case .usage: "wrong usage"
        case .noService: "no such service, or nobody serves it"
        case .inputOutput: "a file could not be written"
        case .busy: "another upgrade of the service is in progress"
        case .protocolViolation: "not understood: another version of the protocol, or none"
        case .permission: "not permitted: neither root nor the user of the server"
        case .configuration: "current.conf, or what it names, is wrong: nothing was changed"
        }
    }
}
