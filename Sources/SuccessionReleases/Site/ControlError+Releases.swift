// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
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

    /// In a site of somebody else root follows no link out of it.
    static func leadsOut(
        _ path: String, link: String, target: String, of site: ReleaseSite
    ) -> ControlError {
        let owner = site.rights.owner.map { SiteRights.name($0.userID) } ?? "root"
        return ControlError(
            code: "leads-out",
            message: "\(path): the link \(link) leads to \(target.terminalSafe), out of "
                + "\(site.directory), where root works for \(owner) and follows it no further; put "
                + "the file there, or run swapctl as \(owner)",
            exitCode: .configuration)
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
                code: "permission", message: "\(doing): \(errno); \(whatToDo)",
                exitCode: .permission)
        default:
            ControlError(code: "system", message: "\(doing): \(errno)", exitCode: .inputOutput)
        }
    }
}

extension ControlError {
    private static var whatToDo: String {
        let rights = (try? UserRights.ofThread())?.userID
        guard let rights, rights != ProcessEnvironment.effectiveUserID else {
            return "run swapctl as the owner of the directory, or as root"
        }
        let name = SiteRights.name(rights)
        return "swapctl works here with the rights of \(name), who must be able to do this"
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
