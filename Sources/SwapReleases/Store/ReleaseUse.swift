// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl
import SystemPackage

/// Names another release in `current.conf`.
package struct ReleaseUse: Sendable {
    package let site: ReleaseSite
    package let before: Selection?
    package let after: Selection
    /// Who watches the site, and will upgrade.
    package let watcher: Int32?

    package var isUnchanged: Bool { before == after }

    /// Checks the files, then rewrites `current.conf` in one step; keys that are not concerned, and
    /// the form of the text, stay as they are.
    ///
    /// Where nobody watches the site the links are turned too, the program's last.
    package static func use(
        _ words: [String], in site: ReleaseSite
    ) throws(ControlError) -> ReleaseUse {
        try site.prepareState()
        let isWatched = SiteLock.isHeld(site, .watch)
        let change =
            isWatched ? nil : try SiteLock.takeOrFail(site, .change, "is changing the release")
        let files = try SiteLock.files(site)
        defer {
            // Before it is closed: who waits for it is told of that, and finds it free.
            change?.release()
            withExtendedLifetime(files) {}
        }
        // What is there must be understood before it is changed.
        let old = try CurrentFile.read(site)
        let choice = ReleaseChoice(site: site, current: old?.selection ?? Selection([:]))
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
        if !isWatched { try Links(site).turn(to: new.selection) }
        return ReleaseUse(
            site: site, before: old?.selection, after: new.selection,
            watcher: isWatched ? SiteLock.holder(site, .watch) : nil)
    }

    /// Has whoever watches the file look again, though it says the same.
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
        let order = Selection(chosen).order.reversed()
        guard let old else {
            return JSONEdit.object(
                order.map { ($0 + Selection.suffix, chosen[$0] ?? "") })
        }
        let changes = order.compactMap { key -> (key: String, value: String)? in
            guard let path = chosen[key] else { return nil }
            let entry = old.entries.first { $0.key == key }
            if entry?.path == path { return nil }
            return (key + Selection.suffix, form(path, like: entry?.value))
        }
        return changes.isEmpty ? old.text : JSONEdit.setting(changes, in: old.text, old.root)
    }

    /// With `~` where the old value had it.
    private static func form(_ path: String, like value: String?) -> String {
        guard value?.hasPrefix("~/") == true, let home = Path.home,
            let relative = Path.relative(path, to: home)
        else { return path }
        return "~/" + relative
    }
}

extension ReleaseUse {
    package var sentence: String {
        let what = "\(site.currentPath): \(after.description(in: site))"
        if let watcher {
            return isUnchanged
                ? "\(what), as before; pid \(watcher) watches it and looks again"
                : "\(what); pid \(watcher) watches it and upgrades"
        }
        if isUnchanged { return "\(what), as before" }
        return "\(what); nobody watches it: run `swapctl upgrade SERVICE`; `swapctl deploy SERVICE "
            + "RELEASE` does both, and names again what serves if that fails"
    }

    package var json: JSONValue {
        [
            "event": "result", "verb": "use", "result": isUnchanged ? "unchanged" : "named",
            "before": before?.json ?? .null, "files": after.json,
            "watcher": .optional(watcher.map { Int($0) }), "exit_code": .integer(0),
        ]
    }
}
