// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionTransport
package import SystemPackage

/// Why a request could not be made or was not answered: a code for programs, a message that says what to do.
package struct ControlError: Error, Sendable, Hashable {
    /// One of the protocol's failure codes, or `no-such-service`, `stale`, `another-service`, `protocol`, `usage`,
    /// `system`.
    package let code: String
    package let message: String
    package let exitCode: ExitCode

    package init(code: String, message: String, exitCode: ExitCode) {
        self.code = code
        self.message = message
        self.exitCode = exitCode
    }
}

extension ControlError: CustomStringConvertible {
    package var description: String { message }

    var isTimeout: Bool { code == FailureCode.timeout.rawValue }
}

// MARK: - Causes

extension ControlError {
    package static func usage(_ message: String) -> ControlError {
        ControlError(code: "usage", message: message, exitCode: .usage)
    }

    static let noSuchService = "no-such-service"
    static let stale = "stale"
    static let anotherService = "another-service"

    package static func noSuchService(_ message: String) -> ControlError {
        ControlError(code: noSuchService, message: message, exitCode: .noService)
    }

    static func stale(generation: Int) -> ControlError {
        ControlError(
            code: stale,
            message: "the socket of generation \(generation) is there but nobody answers: "
                + "it ended without cleaning up",
            exitCode: .noService)
    }

    static func timedOut(_ message: String) -> ControlError {
        ControlError(code: FailureCode.timeout.rawValue, message: message, exitCode: .unchanged)
    }

    package static func permission(path: String, owner: UInt32?) -> ControlError {
        let who =
            switch owner {
            case nil: "its owner or as root"
            case 0: "root"
            case let uid?: "uid \(uid) (sudo -u '#\(uid)') or as root"
            }
        return ControlError(
            code: FailureCode.permission.rawValue,
            message: "may not enter \(path): run swapctl as \(who)", exitCode: .permission)
    }

    package static func system(_ doing: String, _ errno: Errno) -> ControlError {
        ControlError(code: "system", message: "\(doing): \(errno)", exitCode: .noService)
    }

    static func protocolViolation(_ message: String) -> ControlError {
        ControlError(code: "protocol", message: message, exitCode: .protocolViolation)
    }

    static func anotherService(_ message: String) -> ControlError {
        ControlError(code: anotherService, message: message, exitCode: .noService)
    }

    /// The server said no.
    static func refused(_ failure: Failure, by who: String) -> ControlError {
        let exitCode: ExitCode =
            switch failure.code {
            case .busy: .busy
            case .generations: .tooManyGenerations
            case .permission: .permission
            case .version, .unknownKind, .malformed, .unexpected: .protocolViolation
            default: .unchanged
            }
        return ControlError(
            code: failure.code.rawValue, message: "\(who) refused: \(failure.reason)",
            exitCode: exitCode)
    }

    static func unreadable(_ error: TransportError, from who: String) -> ControlError {
        switch error {
        case .timedOut:
            timedOut("\(who) does not answer; its process may be stopped")
        case .system(let errno):
            system("cannot hear \(who)", errno)
        case .message, .descriptorsLost, .descriptorCount, .packetTooLarge:
            ControlError(
                code: error.failureCode.rawValue,
                message: "\(who) sent what cannot be read: \(error)",
                exitCode: .protocolViolation)
        }
    }
}
