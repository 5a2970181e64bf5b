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
            if let end = fileBehind(link, site), let done = replace(end, text, refused) {
                isBack = done
            } else {
                let temporary = try prepare(text, link?.target, site)
                defer { try? site.root.unlink(temporary) }
                isBack = try exchange(temporary, site.currentName, in: site.root, text, refused)
            }
            if isBack, let refused {
                try? DurableFile.replace(site.openState(), ReleaseSite.refusedName, refused)
            }
            try site.root.synchronize()
            return isBack
        }
    }

    /// The file a link leads to, if it still leads there: then that was changed, and not the link.
    ///
    /// What is recorded is only compared: written to is what the link leads to now.
    private static func fileBehind(_ link: CurrentLink?, _ site: ReleaseSite) -> LinkChain.Step? {
        guard let link, let target = try? site.root.readLink(site.currentName),
            target == link.target, let chain = try? site.follow(site.currentName), chain.isThere,
            chain.path == link.file, (try? site.checkTrusted(chain)) != nil
        else { return nil }
        return chain.end
    }

    /// Nil: it cannot be written there.
    private static func replace(
        _ file: LinkChain.Step, _ text: [UInt8], _ refused: [UInt8]?
    ) -> Bool? {
        do throws(Errno) {
            let temporary = try DurableFile.write(file.directory, beside: file.name, text)
            defer { try? file.directory.unlink(temporary) }
            let isBack = try exchange(temporary, file.name, in: file.directory, text, refused)
            try? file.directory.synchronize()
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
            let name = site.currentName
            let temporary = try DurableFile.write(site.root, beside: name, text)
            defer { try? site.root.unlink(temporary) }
            let isWritten = try exchange(temporary, name, in: site.root, text, base)
            try site.root.synchronize()
            return isWritten
        }
    }

    /// Removes `current.conf` if it says this.
    static func remove(saying text: [UInt8], _ site: ReleaseSite) throws(ControlError) {
        let lock = try SiteLock.files(site)
        defer { withExtendedLifetime(lock) {} }
        guard try readText(site) == text else { return }
        try attempt("cannot remove \(site.currentPath)") { () throws(Errno) in
            try DurableFile.remove(site.root, site.currentName)
        }
    }

    /// The file, or the link, that is to be put there, under a hidden name.
    private static func prepare(
        _ text: [UInt8], _ linkTarget: String?, _ site: ReleaseSite
    ) throws(Errno) -> String {
        let name = site.currentName
        let temporary = Path.temporaryName(for: name)
        if let target = linkTarget {
            try? site.root.unlink(temporary)
            try site.root.symbolicLink(temporary, to: target)
            if (try? site.read(temporary)) == text { return temporary }
            try site.root.unlink(temporary)
        }
        do throws(Errno) {
            return try DurableFile.write(site.root, beside: name, text)
        } catch {
            guard let state = try? site.openState(),
                (try? DurableFile.read(state, ReleaseSite.spareName)) == text
            else { throw error }
            try state.rename(ReleaseSite.spareName, to: temporary, in: site.root)
            return temporary
        }
    }

    /// Exchanges the two names until what comes out is what was expected there.
    ///
    /// What somebody has put there meanwhile comes out instead, is newer than what went in, and goes
    /// back; and so may again be in the way of something newer still.
    private static func exchange(
        _ temporary: String, _ name: String, in directory: Directory, _ text: [UInt8],
        _ refused: [UInt8]?
    ) throws(Errno) -> Bool {
        guard var expected = refused else {
            return try putWhereNothingIs(temporary, name, in: directory)
        }
        var put = text
        while true {
            do throws(Errno) {
                try directory.exchange(temporary, name)
            } catch {
                if error == .noSuchFileOrDirectory {
                    return try putWhereNothingIs(temporary, name, in: directory)
                }
                guard error == .invalidArgument || error == .noFunction else { throw error }
                // This file system cannot exchange: look, then replace.
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

    /// What a name says, by way of links; it is only compared.
    private static func content(_ name: String, in directory: Directory) -> [UInt8]? {
        guard let chain = try? LinkChain(name, in: directory) else { return nil }
        return try? ReleaseSite.read(chain)
    }

    private static func putWhereNothingIs(
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
