// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl

/// The rights with which swapctl would work in the site of a server, as `status` shows them.
package struct SiteAccess: Sendable {
    package let directory: String
    /// The user whose rights are used; nil: swapctl's own.
    package let owner: UInt32?
    /// Why swapctl would not work there at all.
    package let problem: String?

    /// Nil: the server does not run from a site that can be read.
    ///
    /// No rights are taken.
    package static func of(_ service: Service) -> SiteAccess? {
        guard let path = ReleaseSite.ofServing(service) else { return nil }
        let directory = Path.parent(path)
        do throws(ControlError) {
            let (root, owner) = try ReleaseSite.find(directory, Path.name(path))
            return SiteAccess(directory: root.path, owner: owner, problem: nil)
        } catch {
            return SiteAccess(directory: directory, owner: nil, problem: error.message)
        }
    }

    /// Empty if swapctl works with its own rights.
    package var lines: [String] {
        if let problem { return ["releases: \(problem.terminalSafe)"] }
        guard let owner else { return [] }
        let (me, other) = (ProcessEnvironment.effectiveUserID, SiteRights.name(owner))
        return [
            "releases: in \(directory) \(SiteRights.name(me)) works with the rights of \(other), and "
                + "runs programs as \(other)"
        ]
    }

    package var json: JSONValue {
        [
            "event": "site", "directory": .string(directory),
            "as_uid": .optional(owner.map { Int($0) }), "problem": .optional(problem),
        ]
    }
}
