// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// The links of a site, `app.bin` and the rest.
struct Links {
    private let site: ReleaseSite

    init(_ site: ReleaseSite) {
        self.site = site
    }

    /// Throws if a name that should be a link is taken by something else, which is not replaced.
    func check(_ selection: Selection) throws(ControlError) {
        for key in selection.order {
            let path = site.linkPath(key)
            guard let facts = try? site.root.facts(site.linkName(key)), !facts.isSymbolicLink
            else { continue }
            throw .configuration(
                "\(path) is no link, and is not replaced by one: move it away, for example with "
                    + "`swapctl release add`")
        }
    }

    /// Points every link to its file, each in one step; those that point there stay untouched.
    func turn(to selection: Selection) throws(ControlError) {
        try check(selection)
        var isChanged = false
        for key in selection.order {
            guard let target = selection.files[key], turned(key) != target else { continue }
            try attempt("cannot turn the link \(site.linkPath(key))") { () throws(Errno) in
                try DurableFile.link(site.root, site.linkName(key), to: target)
            }
            isChanged = true
        }
        if isChanged {
            try attempt("cannot write \(site.directory)") { () throws(Errno) in
                try site.root.synchronize()
            }
        }
    }

    /// Removes links that one selection has and another has not.
    func remove(_ old: Selection, keeping new: Selection) {
        for key in old.order where new.files[key] == nil && turned(key) != nil {
            try? site.root.unlink(site.linkName(key))
        }
    }

    /// Where a link points; nil if there is none.
    func turned(_ key: String) -> String? { try? site.root.readLink(site.linkName(key)) }

    /// Where the links of a selection lead now, those that are there.
    func turned(_ selection: Selection) -> Selection {
        Selection(
            selection.files.reduce(into: [:]) { files, entry in files[entry.key] = turned(entry.key)
            })
    }

    /// Whether a link already led where it leads when a process was started.
    func isOlder(_ key: String, than process: ServerProcess) -> Bool {
        guard let facts = try? site.root.facts(site.linkName(key)), facts.isSymbolicLink,
            let start = process.startedAt
        else { return false }
        return facts.modifiedAtNanoseconds <= start
    }

    func areTurned(to selection: Selection) -> Bool {
        selection.files.allSatisfy { turned($0.key) == $0.value }
    }
}
