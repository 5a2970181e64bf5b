// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

extension ReleaseSite {
    /// Opens the directory of a site, and takes the rights with which it has to be used.
    static func open(
        _ path: String, _ currentName: String
    ) throws(ControlError) -> (Directory, SiteRights) {
        let (root, owner) = try find(path, currentName)
        guard let owner else { return (root, .own) }
        return (root, try SiteRights.taking(owner))
    }

    /// Opens the directory of a site, and decides whose rights are needed; nil: those of this process.
    static func find(
        _ path: String, _ currentName: String
    ) throws(ControlError) -> (Directory, UInt32?) {
        let (chain, root) = try attempt("cannot read the directory \(path)") {
            () throws(Errno) -> (LinkChain, Directory) in
            do throws(LinkChain.Problem) {
                let chain = try LinkChain(path, in: try Self.top())
                return (chain, try Self.directory(at: chain))
            } catch {
                throw error.errno
            }
        }
        let above =
            chain.directories.map { (directory: $0, name: "") }
            + chain.links.map { (directory: $0.directory, name: $0.name) }
        let places = try attempt("cannot check the directories above \(path)") {
            () throws(Errno) -> [SiteRights.Place] in
            var places: [SiteRights.Place] = []
            for (directory, name) in above where directory.path != root.path || !name.isEmpty {
                places.append(
                    name.isEmpty
                        ? SiteRights.Place(directory.path, try directory.facts())
                        : SiteRights.Place(directory.child(name), try directory.facts(name)))
            }
            return places
        }
        return (root, try owner(of: root, currentName, above: places))
    }

    private static func top() throws(LinkChain.Problem) -> Directory {
        do {
            return try Directory("/")
        } catch {
            throw .system(error)
        }
    }

    private static func directory(at chain: LinkChain) throws(LinkChain.Problem) -> Directory {
        do throws(Errno) {
            // The descriptor may have been opened with O_PATH.
            return chain.end.name.isEmpty
                ? try Directory(taking: chain.end.directory.descriptor, path: chain.path).reopened()
                : try chain.openDirectory()
        } catch {
            throw .system(error)
        }
    }

    private static func owner(
        of root: Directory, _ currentName: String, above: [SiteRights.Place]
    ) throws(ControlError) -> UInt32? {
        let facts = try attempt("cannot check \(root.path)") { () throws(Errno) in
            try root.facts()
        }
        // current.conf decides what is executed too, but an owner other than root may let others write it.
        let names = [releaseName, stateName] + (facts.userID == 0 ? [currentName] : [])
        return try SiteRights.owner(
            for: ProcessEnvironment.effectiveUserID, site: SiteRights.Place(root.path, facts),
            above: above,
            inside: names.compactMap { name in
                (try? root.facts(name)).map { SiteRights.Place(root.child(name), $0) }
            })
    }

    /// Throws if the site now needs other rights than when it was opened: owners or permissions have
    /// changed.
    func checkRights() throws(ControlError) {
        let owner = try Self.owner(of: root, currentName, above: [])
        if ProcessEnvironment.effectiveUserID != 0 || owner == rights.owner?.userID { return }
        throw ControlError(
            code: "permission",
            message: "\(directory) belongs to \(SiteRights.name(owner ?? 0)) now; start swapctl "
                + "again",
            exitCode: .permission)
    }

    // MARK: - Directories in it

    /// Opens `.succession`; ENOENT: swapctl has not worked in this site yet.
    ///
    /// EPERM: it does not belong to the user with whose rights the site is used.
    func openState() throws(Errno) -> Directory {
        try permitted(try root.directory(Self.stateName))
    }

    /// Opens `release`, which may be a link where swapctl works with its own rights.
    func openReleases() throws(Errno) -> Directory {
        do throws(Errno) {
            return try permitted(try root.directory(Self.releaseName))
        } catch {
            guard error == .notDirectory, rights.owner == nil else { throw error }
        }
        do throws(LinkChain.Problem) {
            return try permitted(try follow(Self.releaseName))
        } catch {
            throw error.errno
        }
    }

    private func permitted(_ chain: LinkChain) throws(LinkChain.Problem) -> Directory {
        do throws(Errno) {
            return try permitted(try chain.openDirectory())
        } catch {
            throw .system(error)
        }
    }

    private func permitted(_ directory: Directory) throws(Errno) -> Directory {
        guard rights.permits(try directory.facts()) else { throw .notPermitted }
        return directory
    }

    /// Makes `.succession` unless it exists.
    func prepareState() throws(ControlError) {
        try makeDirectory(Self.stateName, mode: 0o700)
    }

    func prepareReleases() throws(ControlError) {
        // The server may run as another user.
        try makeDirectory(Self.releaseName, mode: 0o755)
    }

    private func makeDirectory(_ name: String, mode: UInt32) throws(ControlError) {
        try attempt("cannot make \(root.child(name))") { () throws(Errno) in
            do throws(Errno) {
                try root.makeDirectory(name, mode: mode)
                try root.synchronize()
            } catch {
                if error != .fileExists { throw error }
            }
        }
        let mayBeLink = name == Self.releaseName && rights.owner == nil
        if (try? root.facts(name))?.isSymbolicLink == true, !mayBeLink {
            throw .configuration(
                "\(root.child(name)) is a link, which swapctl does not follow here; replace it by a directory"
            )
        }
    }

    // MARK: - Links

    /// Follows a name in the site; where another user's rights are used, a link out of it is an error.
    func follow(_ name: String) throws(LinkChain.Problem) -> LinkChain {
        try LinkChain(name, in: root, boundary: rights.owner == nil ? nil : root)
    }

    /// Throws if another user than root could change what root executes: by a file that others may
    /// write, or by a link of others.
    func checkTrusted(_ chain: LinkChain) throws(ControlError) {
        guard ProcessEnvironment.effectiveUserID == 0, rights.owner == nil, chain.exists else {
            return
        }
        let places = try attempt("cannot check where \(currentPath) leads") {
            () throws(Errno) -> [SiteRights.Place] in
            var places = [SiteRights.Place(chain.path, try chain.facts())]
            for directory in chain.directories {
                places.append(SiteRights.Place(directory.path, try directory.facts()))
            }
            for link in chain.links {
                places.append(
                    SiteRights.Place(link.path, try link.directory.facts(link.name)))
            }
            return places
        }
        for (index, place) in places.enumerated() where !place.isOfRootAlone {
            // The first place is the file: the sticky bit means something only for directories.
            if index > 0, place.userID == 0, place.isSticky { continue }
            throw ControlError(
                code: "permission",
                message: "\(currentPath) leads to \(place.path), which other users than root can "
                    + "change to decide what root executes; see its owner and permissions",
                exitCode: .permission)
        }
    }

    /// Follows any path, such as one in `current.conf`.
    static func follow(anywhere path: String) throws(LinkChain.Problem) -> LinkChain {
        try LinkChain(path, in: try top())
    }

    /// The status of a release, links followed; nil: there is none.
    func factsOfRelease(_ name: String) -> FileFacts? {
        guard let releases = try? openReleases(),
            let chain = try? LinkChain(
                name, in: releases, boundary: rights.owner == nil ? nil : releases)
        else { return nil }
        return try? chain.facts()
    }

    /// The path without links; nil: the file does not exist.
    static func resolved(_ path: String) -> String? {
        guard let chain = try? follow(anywhere: path), chain.exists else { return nil }
        return chain.path
    }

    /// Reads the file that a name in the site leads to.
    func read(_ name: String, limit: Int = 1 << 24) throws(Errno) -> [UInt8] {
        let chain: LinkChain
        do {
            chain = try follow(name)
        } catch {
            throw error.errno
        }
        return try Self.read(chain, limit: limit)
    }

    /// Reads the regular file at the end of a chain; EINVAL: it is another kind.
    static func read(_ chain: LinkChain, limit: Int = 1 << 24) throws(Errno) -> [UInt8] {
        try DurableFile.read(chain.end.directory, chain.end.name, limit: limit)
    }
}
