// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

extension CurrentFile {
    /// Writes what serves into `current.conf`, unless its text is no longer the refused one.
    ///
    /// `refused` is the text to replace; nil: there was no file. Returns true if it was replaced: the
    /// refused text is then kept in `.succession/refused.conf`. Returns false if another process has
    /// changed the file: its text stays, even if it wrote it during this call.
    static func restore(
        _ record: ServingRecord, insteadOf refused: [UInt8]?, _ site: ReleaseSite
    ) throws(ControlError) -> Bool {
        try restore(
            Array(record.text.utf8), link: record.link, insteadOf: refused, site)
    }

    /// The same with a given text, as a file or as a link.
    static func restore(
        _ text: [UInt8], link: CurrentLink?, insteadOf refused: [UInt8]?, _ site: ReleaseSite
    ) throws(ControlError) -> Bool {
        let lock = try SiteLock.files(site)
        defer { withExtendedLifetime(lock) {} }
        if refused == text { return false }
        return try attempt("cannot restore \(site.currentPath)") {
            () throws(Errno) in
            let isRestored: Bool
            if let end = fileBehind(link, site), let done = replace(end, text, refused) {
                isRestored = done
            } else {
                let temporary = try prepare(text, link?.target, site)
                defer { temporary.remove() }
                isRestored = try exchange(
                    temporary.name, site.currentName, in: site.root, text, refused)
            }
            if isRestored, let refused {
                try? DurableFile.replace(site.openState(), ReleaseSite.refusedName, refused)
            }
            try site.root.synchronize()
            return isRestored
        }
    }

    /// The file that the link leads to, if it still leads to the recorded one: then the file was
    /// changed, and not the link.
    ///
    /// The record is only compared with; the result is where the link leads now.
    private static func fileBehind(_ link: CurrentLink?, _ site: ReleaseSite) -> LinkChain.Step? {
        guard let link, let target = try? site.root.readLink(site.currentName),
            target == link.target, let chain = try? site.follow(site.currentName), chain.exists,
            chain.path == link.file, (try? site.checkTrusted(chain)) != nil
        else { return nil }
        return chain.end
    }

    /// Nil: the file cannot be written.
    private static func replace(
        _ file: LinkChain.Step, _ text: [UInt8], _ refused: [UInt8]?
    ) -> Bool? {
        do throws(Errno) {
            let temporary = try DurableFile.write(file.directory, beside: file.name, text)
            defer { temporary.remove() }
            let isRestored = try exchange(
                temporary.name, file.name, in: file.directory, text, refused)
            try? file.directory.synchronize()
            return isRestored
        } catch {
            return nil
        }
    }

    /// Writes a new text into `current.conf`, unless its text is no longer `base`; nil: there was no
    /// file.
    ///
    /// Returns false if another process has changed the file: its text stays, even if it wrote it
    /// during this call. A link is replaced by a file.
    static func write(
        _ text: [UInt8], insteadOf base: [UInt8]?, _ site: ReleaseSite
    ) throws(ControlError) -> Bool {
        let lock = try SiteLock.files(site)
        defer { withExtendedLifetime(lock) {} }
        return try attempt("cannot write \(site.currentPath)") { () throws(Errno) in
            let name = site.currentName
            let temporary = try DurableFile.write(site.root, beside: name, text)
            defer { temporary.remove() }
            let isWritten = try exchange(temporary.name, name, in: site.root, text, base)
            try site.root.synchronize()
            return isWritten
        }
    }

    /// Removes `current.conf` if this is its text.
    static func remove(saying text: [UInt8], _ site: ReleaseSite) throws(ControlError) {
        let lock = try SiteLock.files(site)
        defer { withExtendedLifetime(lock) {} }
        guard try readText(site) == text else { return }
        try attempt("cannot remove \(site.currentPath)") { () throws(Errno) in
            try DurableFile.remove(site.root, site.currentName)
        }
    }

    /// Makes the new file, or link, under a hidden name.
    private static func prepare(
        _ text: [UInt8], _ linkTarget: String?, _ site: ReleaseSite
    ) throws(Errno) -> DurableFile.Temporary {
        let name = site.currentName
        let temporary = Path.temporaryName(for: name)
        if let target = linkTarget {
            try? site.root.unlink(temporary)
            try site.root.symbolicLink(temporary, to: target)
            if (try? site.read(temporary)) == text {
                return DurableFile.Temporary(temporary, in: site.root, lock: nil)
            }
            try site.root.unlink(temporary)
        }
        do throws(Errno) {
            return try DurableFile.write(site.root, beside: name, text)
        } catch {
            guard let state = try? site.openState(),
                (try? DurableFile.read(state, ReleaseSite.spareName)) == text
            else { throw error }
            let lock = DurableFile.lock(ReleaseSite.spareName, in: state)
            try state.rename(ReleaseSite.spareName, to: temporary, in: site.root)
            return DurableFile.Temporary(temporary, in: site.root, lock: lock)
        }
    }

    /// Exchanges the two names, and exchanges them back if the file taken out is not the expected one.
    ///
    /// A file that another process has put there meanwhile is newer, and has to stay. It may be
    /// replaced once more before it is back in its place, so each exchange is checked again.
    private static func exchange(
        _ temporary: String, _ name: String, in directory: Directory, _ text: [UInt8],
        _ refused: [UInt8]?
    ) throws(Errno) -> Bool {
        guard var expected = refused else {
            return try moveToFreeName(temporary, name, in: directory)
        }
        var put = text
        while true {
            do throws(Errno) {
                try directory.exchange(temporary, name)
            } catch {
                if error == .noSuchFileOrDirectory {
                    return try moveToFreeName(temporary, name, in: directory)
                }
                guard error == .invalidArgument || error == .noFunction else { throw error }
                // This file system cannot exchange names: compare, then replace.
                guard content(name, in: directory) == expected else { return false }
                try directory.rename(temporary, to: name)
                return true
            }
            let taken = content(temporary, in: directory) ?? []
            if taken == expected { return put == text }
            expected = put
            put = taken
        }
    }

    /// The bytes a name leads to, links followed; they are only compared.
    private static func content(_ name: String, in directory: Directory) -> [UInt8]? {
        guard let chain = try? LinkChain(name, in: directory) else { return nil }
        return try? ReleaseSite.read(chain)
    }

    private static func moveToFreeName(
        _ temporary: String, _ name: String, in directory: Directory
    ) throws(Errno) -> Bool {
        do throws(Errno) {
            try directory.renameToNew(temporary, name)
            return true
        } catch {
            if error == .fileExists { return false }
            guard error == .invalidArgument || error == .noFunction else { throw error }
            if (try? directory.facts(name)) != nil { return false }
            try directory.rename(temporary, to: name)
            return true
        }
    }
}
