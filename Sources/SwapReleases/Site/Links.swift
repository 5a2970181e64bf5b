// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// The links of a site: `app.bin` and one for each other key.
struct Links {
    private let site: ReleaseSite

    init(_ site: ReleaseSite) {
        self.site = site
    }

    /// Throws if something else than a link has the name of a link; it would not be replaced.
    func check(_ selection: SelectedFiles) throws(ControlError) {
        for key in selection.order {
            let path = site.linkPath(key)
            guard let facts = try? site.root.facts(site.linkName(key)), !facts.isSymbolicLink
            else { continue }
            throw .configuration(
                "\(path) is not a link, and swapctl does not replace it: move it away, for example "
                    + "with `swapctl release add`")
        }
    }

    /// Points every link to its file, each in one step; a link that leads there already stays
    /// untouched.
    func point(to selection: SelectedFiles) throws(ControlError) {
        try check(selection)
        var isChanged = false
        for key in selection.order {
            guard let target = selection.files[key], self.target(of: key) != target else {
                continue
            }
            try attempt("cannot change the link \(site.linkPath(key))") { () throws(Errno) in
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

    /// Removes the links that only the old selection has.
    func remove(_ old: SelectedFiles, keeping new: SelectedFiles) {
        for key in old.order where new.files[key] == nil && target(of: key) != nil {
            try? site.root.unlink(site.linkName(key))
        }
    }

    /// Where a link leads; nil if there is none.
    func target(of key: String) -> String? { try? site.root.readLink(site.linkName(key)) }

    /// Where the links of a selection lead; keys without a link are left out.
    func targets(of selection: SelectedFiles) -> SelectedFiles {
        SelectedFiles(
            selection.files.reduce(into: [:]) { files, entry in
                files[entry.key] = target(of: entry.key)
            })
    }

    /// Whether every link of a selection leads to its file.
    func lead(to selection: SelectedFiles) -> Bool {
        selection.files.allSatisfy { target(of: $0.key) == $0.value }
    }

    /// Whether a link was last changed before a moment, in nanoseconds since 1970; false if there is
    /// no link or no moment.
    func isOlder(_ key: String, than moment: Int?) -> Bool {
        guard let facts = try? site.root.facts(site.linkName(key)), facts.isSymbolicLink, let moment
        else { return false }
        return facts.modifiedAtNanoseconds <= moment
    }
}
