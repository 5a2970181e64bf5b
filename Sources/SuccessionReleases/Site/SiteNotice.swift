// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl

/// With whose rights swapctl would work in the site of a server, for whoever asks for its status.
package struct SiteNotice: Sendable {
    package let directory: String
    /// Whose rights; nil: its own.
    package let owner: UInt32?
    /// Why it would not work there at all.
    package let problem: String?

    /// Nil: the server does not run from a site, or from none that can be looked at.
    ///
    /// No rights are taken.
    package static func of(_ service: Service) -> SiteNotice? {
        guard let path = ReleaseSite.ofServing(service) else { return nil }
        let directory = Path.parent(path)
        do throws(ControlError) {
            let (root, owner) = try ReleaseSite.find(directory, Path.name(path))
            return SiteNotice(directory: root.path, owner: owner, problem: nil)
        } catch {
            return SiteNotice(directory: directory, owner: nil, problem: error.message)
        }
    }

    /// Empty: swapctl works with its own rights, which need not be told.
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
