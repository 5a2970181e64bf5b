// SPDX-License-Identifier: Apache-2.0

import SwapControl
import SystemPackage

extension ControlError {
    /// What `current.conf` says, or what it names, is not right.
    static func configuration(_ message: String) -> ControlError {
        ControlError(code: "configuration", message: message, exitCode: .configuration)
    }

    static func wrongUsage(_ message: String) -> ControlError {
        ControlError(code: "usage", message: message, exitCode: .usage)
    }

    static func busy(_ message: String) -> ControlError {
        ControlError(code: "busy", message: message, exitCode: .busy)
    }

    /// A file could not be read or written; `doing` is what was tried, with the path.
    static func file(_ doing: String, _ errno: Errno) -> ControlError {
        switch errno {
        case .noSpace, .diskQuotaExceeded:
            ControlError(
                code: "full",
                message: "\(doing): \(errno); nothing was changed: make room, for example by "
                    + "`swapctl release prune`, and try again",
                exitCode: .inputOutput)
        case .readOnlyFileSystem:
            ControlError(
                code: "read-only",
                message:
                    "\(doing): \(errno); nothing was changed: mount it so that it can be written",
                exitCode: .inputOutput)
        case .permissionDenied, .notPermitted:
            ControlError(
                code: "permission",
                message:
                    "\(doing): \(errno); run swapctl as the owner of the directory, or as root",
                exitCode: .permission)
        default:
            ControlError(code: "system", message: "\(doing): \(errno)", exitCode: .inputOutput)
        }
    }
}

/// Runs system calls whose failure is reported with what was tried.
func attempt<Result>(
    _ doing: @autoclosure () -> String, _ body: () throws(Errno) -> Result
) throws(ControlError) -> Result {
    do {
        return try body()
    } catch {
        throw .file(doing(), error)
    }
}
