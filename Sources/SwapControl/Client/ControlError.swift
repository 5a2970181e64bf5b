// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionTransport
package import SystemPackage

/// Why a request could not be sent, was refused, or was not answered.
///
/// Compare ``code``; ``message`` is one sentence for a person and says what to do.
public struct ControlError: Error, Sendable, Hashable {
    /// The cause, for programs.
    public let code: Code
    /// One sentence for a person; text from the server in it is not safe for a terminal.
    public let message: String
    /// What swapctl ends with.
    package let exitCode: ExitCode

    package init(code: Code, message: String, exitCode: ExitCode) {
        self.code = code
        self.message = message
        self.exitCode = exitCode
    }
}

extension ControlError: CustomStringConvertible {
    /// The message.
    public var description: String { message }

    var isTimeout: Bool { code == .timeout }
    /// A signal or a cancellation has ended the wait.
    var isInterruption: Bool { code == .interrupted || code == .cancelled }
}

extension ControlError {
    /// A cause, for programs.
    ///
    /// A server of a later version may answer with codes that have no constant here.
    public struct Code: RawRepresentable, ExpressibleByStringLiteral, Sendable, Hashable {
        /// The code as the protocol and the output for programs have it.
        public let rawValue: String

        /// Makes a code from its text.
        public init(rawValue: String) { self.rawValue = rawValue }
        /// Makes a code from its text.
        public init(stringLiteral value: String) { rawValue = value }
        init(_ code: FailureCode) { rawValue = code.rawValue }

        /// No server runs under this name, or none serves.
        public static let noSuchService: Code = "no-such-service"
        /// The generation ended without removing its control socket.
        public static let stale: Code = "stale"
        /// The directory belongs to a service of another name.
        public static let anotherService: Code = "another-service"
        /// The caller is neither root nor the user of the server.
        public static let permission = Code(.permission)
        /// Another upgrade of the service is in progress.
        public static let busy = Code(.busy)
        /// The service has as many generations as it may have.
        public static let tooManyGenerations = Code(.generations)
        /// The server did not answer in time.
        public static let timeout = Code(.timeout)
        /// The server ended before it answered.
        public static let connectionLost: Code = "connection-lost"
        /// `abort`: no upgrade is in progress.
        public static let noUpgrade: Code = "no-upgrade"
        /// `abort`: the successor serves already.
        public static let tooLate: Code = "too-late"
        /// The task that waited was cancelled; the server carries on.
        public static let cancelled: Code = "cancelled"
        /// The request has an invalid argument.
        public static let usage: Code = "usage"
        /// A system call failed.
        public static let system: Code = "system"
        /// The answer violates the protocol.
        public static let protocolViolation: Code = "protocol"
        /// The process that served died during the upgrade, and a new one was started in its place.
        public static let restarted: Code = "restarted"
        /// A signal to swapctl ended the wait.
        package static let interrupted: Code = "interrupted"
    }
}

// MARK: - Causes

extension ControlError {
    package static func usage(_ message: String) -> ControlError {
        ControlError(code: .usage, message: message, exitCode: .usage)
    }

    package static func noSuchService(_ message: String) -> ControlError {
        ControlError(code: .noSuchService, message: message, exitCode: .noService)
    }

    static func stale(generation: Int) -> ControlError {
        ControlError(
            code: .stale,
            message: "nobody listens on the socket of generation \(generation): "
                + "it ended without cleaning up",
            exitCode: .noService)
    }

    static func timedOut(_ message: String) -> ControlError {
        ControlError(code: .timeout, message: message, exitCode: .unchanged)
    }

    package static func permission(path: String, owner: UInt32?) -> ControlError {
        let who =
            switch owner {
            case nil: "its owner or as root"
            case 0: "root"
            case let uid?: "uid \(uid) (sudo -u '#\(uid)') or as root"
            }
        return ControlError(
            code: .permission, message: "may not enter \(path): run swapctl as \(who)",
            exitCode: .permission)
    }

    package static func system(_ doing: String, _ errno: Errno) -> ControlError {
        ControlError(code: .system, message: "\(doing): \(errno)", exitCode: .noService)
    }

    static func protocolViolation(_ message: String) -> ControlError {
        ControlError(code: .protocolViolation, message: message, exitCode: .protocolViolation)
    }

    static func anotherService(_ message: String) -> ControlError {
        ControlError(code: .anotherService, message: message, exitCode: .noService)
    }

    /// The server has answered with `refused`.
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
            code: Code(failure.code), message: "\(who) refused: \(failure.reason)",
            exitCode: exitCode)
    }

    static func unreadable(_ error: TransportError, from who: String) -> ControlError {
        switch error {
        case .timedOut:
            timedOut("\(who) does not answer; its process may be stopped")
        case .system(let errno):
            system("cannot receive from \(who)", errno)
        case .message, .descriptorsLost, .descriptorCount, .packetTooLarge:
            ControlError(
                code: Code(error.failureCode),
                message: "\(who) sent what cannot be read: \(error)",
                exitCode: .protocolViolation)
        }
    }
}
