// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// `current.conf` as a symbolic link.
struct CurrentLink: Sendable, Hashable {
    /// As it stands in the link.
    var target: String
    /// The file at the end of all links; nil: not known.
    var file: String?

    /// Nil: it is no link.
    static func read(_ site: ReleaseSite) -> CurrentLink? {
        guard let target = try? site.root.readLink(site.currentName) else { return nil }
        let chain = try? site.follow(site.currentName)
        return CurrentLink(target: target, file: chain?.isThere == true ? chain?.path : nil)
    }
}
