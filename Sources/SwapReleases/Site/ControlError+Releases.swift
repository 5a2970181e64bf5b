// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

extension ControlError {
    /// `current.conf`, or a file it names, cannot be used.
    static func configuration(_ message: String) -> ControlError {
        ControlError(code: "configuration", message: message, exitCode: .configuration)
    }

    static func wrongUsage(_ message: String) -> ControlError {
        ControlError(code: "usage", message: message, exitCode: .usage)
    }

    static func busy(_ message: String) -> ControlError {
        ControlError(code: "busy", message: message, exitCode: .busy)
    }

    /// Root works in the site of another user, and a link leads out of it.
    static func leadsOut(
        _ path: String, link: String, target: String, of site: ReleaseSite
    ) -> ControlError {
        let owner = site.rights.owner.map { SiteRights.name($0.userID) } ?? "root"
        return ControlError(
            code: "leads-out",
            message: "\(path): the link \(link) leads to \(target.terminalSafe), out of "
                + "\(site.directory), where root works with the rights of \(owner) and follows no link "
                + "out; put the file into that directory, or run swapctl as \(owner)",
            exitCode: .configuration)
    }

    /// A file could not be read or written; `action` is what failed, with the path: `cannot read F`.
    static func file(_ action: String, _ errno: Errno) -> ControlError {
        switch errno {
        case .noSpace, .diskQuotaExceeded:
            ControlError(
                code: "full",
                message: "\(action): \(errno); nothing was changed: make room, for example by "
                    + "`swapctl release prune`, and try again",
                exitCode: .inputOutput)
        case .readOnlyFileSystem:
            ControlError(
                code: "read-only",
                message:
                    "\(action): \(errno); nothing was changed: mount it so that it can be written",
                exitCode: .inputOutput)
        case .permissionDenied, .notPermitted:
            ControlError(
                code: "permission", message: "\(action): \(errno); \(advice)",
                exitCode: .permission)
        default:
            ControlError(code: "system", message: "\(action): \(errno)", exitCode: .inputOutput)
        }
    }
}

extension ControlError {
    private static var advice: String {
        let rights = (try? UserRights.ofThread())?.userID
        guard let rights, rights != ProcessEnvironment.effectiveUserID else {
            return "run swapctl as the owner of the directory, or as root"
        }
        let name = SiteRights.name(rights)
        return "swapctl works here with the rights of \(name), who must have this permission"
    }
}

/// Runs system calls, and reports a failure with the action that failed.
func attempt<Result>(
    _ action: @autoclosure () -> String, _ body: () throws(Errno) -> Result
) throws(ControlError) -> Result {
    do {
        return try body()
    } catch {
        throw .file(action(), error)
    }
}
