// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl
import SystemPackage

/// Names another release in `current.conf`, as `swapctl release use` does.
package struct ReleaseSelection: Sendable {
    package let site: ReleaseSite
    package let before: SelectedFiles?
    package let after: SelectedFiles
    /// The process that watches the site and will upgrade the server; nil: there is none.
    package let watcher: Int32?

    package var isUnchanged: Bool { before == after }

    /// Checks the files, then replaces `current.conf` in one step; other keys and the form of the text
    /// stay.
    ///
    /// If no watch runs, the links are changed too, that of the program last.
    package static func use(
        _ words: [String], in site: ReleaseSite
    ) throws(ControlError) -> ReleaseSelection {
        try site.prepareState()
        let isWatched = SiteLock.isHeld(site, .watch)
        let change =
            isWatched ? nil : try SiteLock.takeOrFail(site, .change, "is changing the release")
        let files = try SiteLock.files(site)
        defer {
            // Before the file is closed: the close wakes a waiting watch, which has to find the lock free.
            change?.release()
            withExtendedLifetime(files) {}
        }
        // A file that cannot be understood is not changed.
        let old = try CurrentFile.read(site)
        let choice = ReleaseChoice(site: site, current: old?.selection ?? SelectedFiles([:]))
        let chosen = try choice.resolve(words)
        let text = rewritten(old, chosen)
        let new = try CurrentFile(site, text)
        try new.check()
        try Links(site).check(new.selection)
        if text != old?.text {
            try attempt("cannot write \(site.currentPath)") { () throws(Errno) in
                try DurableFile.replace(site.root, site.currentName, text)
            }
        } else if isWatched {
            touch(site)
        }
        if !isWatched { try Links(site).point(to: new.selection) }
        return ReleaseSelection(
            site: site, before: old?.selection, after: new.selection,
            watcher: isWatched ? SiteLock.holder(site, .watch) : nil)
    }

    /// Makes the watch inspect the site again although the text is the same: sets the mode of the file,
    /// which is an event.
    private static func touch(_ site: ReleaseSite) {
        guard let chain = try? site.follow(site.currentName),
            let file = try? DurableFile.openRegular(
                chain.end.directory, chain.end.name, .readOnly)
        else { return }
        file.withRawValue { fd in
            guard let mode = try? Syscall.status(of: fd).mode else { return }
            try? Syscall.setMode(fd, mode & 0o7777)
        }
    }

    static func rewritten(_ old: CurrentFile?, _ chosen: [String: String]) -> [UInt8] {
        let order = SelectedFiles(chosen).order.reversed()
        guard let old else {
            return JSONEdit.object(
                order.map { ($0 + SelectedFiles.suffix, chosen[$0] ?? "") })
        }
        let changes = order.compactMap { key -> (key: String, value: String)? in
            guard let path = chosen[key] else { return nil }
            let entry = old.entries.first { $0.key == key }
            if entry?.path == path { return nil }
            return (key + SelectedFiles.suffix, form(path, like: entry?.value))
        }
        return changes.isEmpty ? old.text : JSONEdit.setting(changes, in: old.text, old.root)
    }

    /// Writes a path with `~` if the old value had it.
    private static func form(_ path: String, like value: String?) -> String {
        guard value?.hasPrefix("~/") == true, let home = Path.home,
            let relative = Path.relative(path, to: home)
        else { return path }
        return "~/" + relative
    }
}

extension ReleaseSelection {
    package var sentence: String {
        let what = "\(site.currentPath): \(after.description(in: site))"
        if let watcher {
            return isUnchanged
                ? "\(what), as before; pid \(watcher) watches it and checks it again"
                : "\(what); pid \(watcher) watches it and upgrades"
        }
        if isUnchanged { return "\(what), as before" }
        return "\(what); nobody watches it: run `swapctl upgrade SERVICE`; `swapctl deploy SERVICE "
            + "RELEASE` does both, and names what serves again if that fails"
    }

    package var json: JSONValue {
        [
            "event": "result", "verb": "use", "result": isUnchanged ? "unchanged" : "named",
            "before": before?.json ?? .null, "files": after.json,
            "watcher": .optional(watcher.map { Int($0) }), "exit_code": .integer(0),
        ]
    }
}
