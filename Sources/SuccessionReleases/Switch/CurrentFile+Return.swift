// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

extension CurrentFile {
    /// Has `current.conf` say what serves, unless it no longer says what was refused.
    ///
    /// `refused` is what it said; nil: it was gone. True: it was put back, and what was refused lies
    /// in `.succession/refused.conf`. False: somebody has changed it meanwhile, and his text stays,
    /// whenever he did it.
    static func putBack(
        _ record: ServingRecord, insteadOf refused: [UInt8]?, _ site: ReleaseSite
    ) throws(ControlError) -> Bool {
        try putBack(
            Array(record.text.utf8), link: record.link, insteadOf: refused, site)
    }

    /// The same with what it said otherwise, as a file or as a link.
    static func putBack(
        _ text: [UInt8], link: CurrentLink?, insteadOf refused: [UInt8]?, _ site: ReleaseSite
    ) throws(ControlError) -> Bool {
        let lock = try SiteLock.files(site)
        defer { withExtendedLifetime(lock) {} }
        if refused == text { return false }
        return try attempt("cannot return \(site.currentPath) to what it said") {
            () throws(Errno) in
            let isBack: Bool
            if let file = fileBehind(link, site), let done = replace(file, text, refused) {
                isBack = done
            } else {
                let temporary = try prepare(text, link?.target, site)
                defer { try? Syscall.unlink(temporary) }
                isBack = try exchange(temporary, site.currentPath, text, refused)
            }
            if isBack, let refused { try? DurableFile.replace(site.refusedPath, refused) }
            try Syscall.synchronizeDirectory(site.directory)
            return isBack
        }
    }

    /// The file a link leads to, if it still leads there: then that was changed, and not the link.
    private static func fileBehind(_ link: CurrentLink?, _ site: ReleaseSite) -> String? {
        guard let link, CurrentLink.read(site) == link else { return nil }
        return link.file
    }

    /// Nil: it cannot be written there.
    private static func replace(_ file: String, _ text: [UInt8], _ refused: [UInt8]?) -> Bool? {
        do throws(Errno) {
            let temporary = try DurableFile.write(
                beside: file, text, like: try? Syscall.linkStatus(file))
            defer { try? Syscall.unlink(temporary) }
            let isBack = try exchange(temporary, file, text, refused)
            try? Syscall.synchronizeDirectory(Path.parent(file))
            return isBack
        } catch {
            return nil
        }
    }

    /// Has `current.conf` say something new, unless it no longer says `base`; nil: it was not there.
    ///
    /// False: somebody has changed it meanwhile, and his text stays, whenever he did it. A link is
    /// replaced by a file.
    static func write(
        _ text: [UInt8], insteadOf base: [UInt8]?, _ site: ReleaseSite
    ) throws(ControlError) -> Bool {
        let lock = try SiteLock.files(site)
        defer { withExtendedLifetime(lock) {} }
        return try attempt("cannot write \(site.currentPath)") { () throws(Errno) in
            let path = site.currentPath
            let temporary = try DurableFile.write(
                beside: path, text, like: try? Syscall.linkStatus(path))
            defer { try? Syscall.unlink(temporary) }
            let isWritten = try exchange(temporary, path, text, base)
            try Syscall.synchronizeDirectory(site.directory)
            return isWritten
        }
    }

    /// Removes `current.conf` if it says this.
    static func remove(saying text: [UInt8], _ site: ReleaseSite) throws(ControlError) {
        let lock = try SiteLock.files(site)
        defer { withExtendedLifetime(lock) {} }
        guard try readText(site) == text else { return }
        try attempt("cannot remove \(site.currentPath)") { () throws(Errno) in
            try DurableFile.remove(site.currentPath)
        }
    }

    /// The file, or the link, that is to be put there, under a hidden name.
    private static func prepare(
        _ text: [UInt8], _ linkTarget: String?, _ site: ReleaseSite
    ) throws(Errno) -> String {
        let path = site.currentPath
        if let target = linkTarget {
            let absolute = target.hasPrefix("/") ? target : site.directory + "/" + target
            if (try? Syscall.readFile(absolute)) == text {
                let temporary = Path.temporary(beside: path)
                try? Syscall.unlink(temporary)
                try Syscall.symbolicLink(to: target, at: temporary)
                return temporary
            }
        }
        do throws(Errno) {
            return try DurableFile.write(beside: path, text, like: try? Syscall.linkStatus(path))
        } catch {
            guard (try? Syscall.readFile(site.sparePath)) == text else { throw error }
            let temporary = Path.temporary(beside: path)
            try Syscall.rename(site.sparePath, temporary)
            return temporary
        }
    }

    /// Exchanges the two names until what comes out is what was expected there.
    ///
    /// What somebody has put there meanwhile comes out instead, is newer than what went in, and goes
    /// back; and so may again be in the way of something newer still.
    private static func exchange(
        _ temporary: String, _ path: String, _ text: [UInt8], _ refused: [UInt8]?
    ) throws(Errno) -> Bool {
        guard var expected = refused else { return try putWhereNothingIs(temporary, path) }
        var put = text
        while true {
            do throws(Errno) {
                try Syscall.exchange(temporary, path)
            } catch {
                if error == .noSuchFileOrDirectory { return try putWhereNothingIs(temporary, path) }
                guard error == .invalidArgument || error == .noFunction else { throw error }
                // This file system cannot exchange: look, then replace.
                guard (try? Syscall.readFile(path)) == expected else { return false }
                try Syscall.rename(temporary, path)
                return true
            }
            let taken = (try? Syscall.readFile(temporary)) ?? []
            if taken == expected { return put == text }
            expected = put
            put = taken
        }
    }

    private static func putWhereNothingIs(
        _ temporary: String, _ path: String
    ) throws(Errno) -> Bool {
        do throws(Errno) {
            try Syscall.renameToNew(temporary, path)
            return true
        } catch {
            if error == .fileExists { return false }
            guard error == .invalidArgument || error == .noFunction else { throw error }
            if (try? Syscall.linkStatus(path)) != nil { return false }
            try Syscall.rename(temporary, path)
            return true
        }
    }
}
