// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// The exit status of `swapctl`.
package enum ExitCode: Int32, Sendable, Hashable, CaseIterable {
    /// The upgrade is committed, the generation has left, or the status is printed.
    case done = 0
    /// The upgrade failed and the predecessor serves on, or the application refused a reload.
    case unchanged = 1
    /// As ``done``, but connections were cut or the generation did not leave in time.
    case cut = 2
    /// Which release serves is not known, or could not be recorded.
    case unknown = 3
    /// A generation is starting, and nobody serves yet.
    case notYet = 4
    /// The service has as many generations as it may have: no successor was started.
    case tooManyGenerations = 5
    case usage = 64
    case noService = 69
    /// A file could not be written: a full disk, a file system that is read-only.
    case inputOutput = 74
    case busy = 75
    case protocolViolation = 76
    case permission = 77
    /// `current.conf`, or a file that it names, is invalid.
    case configuration = 78

    /// The table of all codes, for the help text.
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
        case .cut: "done, but connections were cut, or a generation has not left"
        case .unknown:
            "which release serves is not known or not recorded; the next watch or rollback finds out"
        case .notYet: "status: a generation is starting, and nobody serves yet"
        case .tooManyGenerations:
            "not upgraded: as many generations as there may be; wait, or use --evict-oldest"
        case .usage: "wrong usage"
        case .noService: "no such service, or nobody serves"
        case .inputOutput: "a file could not be written"
        case .busy: "another upgrade of the service is in progress"
        case .protocolViolation:
            "the peer speaks another version of the protocol, or another protocol"
        case .permission: "not permitted: run swapctl as root or as the user of the server"
        case .configuration:
            "current.conf, or a file that it names, is invalid: nothing was changed"
        }
    }
}
