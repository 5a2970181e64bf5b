// SPDX-License-Identifier: Apache-2.0

package import SuccessionSystem
package import SwapControl
import SystemPackage

/// The rights with which swapctl works in a site.
///
/// Root works as root only where no other user can change anything: a user who may write there could
/// decide what root reads, writes and executes. In the site of another user root takes the rights of
/// the owner for all work on files, and runs programs as the owner.
package struct SiteRights: Sendable, Hashable {
    /// The user whose rights were taken; nil: swapctl works with its own.
    package let owner: UserRights?
    /// The own rights of swapctl, if others were taken.
    private let caller: UserRights?

    static let own = SiteRights(owner: nil, caller: nil)

    /// The name of the user whose rights were taken.
    package var ownerName: String? { owner.map { Self.name($0.userID) } }

    /// The user as whom programs are run.
    var userID: UInt32 { owner?.userID ?? ProcessEnvironment.effectiveUserID }

    private init(owner: UserRights?, caller: UserRights?) {
        self.owner = owner
        self.caller = caller
    }

    /// Takes the rights of a user to files, in this thread, which is the only one that works on files.
    static func taking(_ userID: UInt32) throws(ControlError) -> SiteRights {
        let rights = try attempt("cannot take the rights of \(name(userID))") {
            () throws(Errno) in
            let caller = try UserRights.ofThread()
            // This process has taken them already, for another site.
            if caller.userID == userID { return SiteRights.own }
            let owner = UserRights(of: userID)
            try owner.takeForFiles()
            return SiteRights(owner: owner, caller: caller)
        }
        return rights
    }

    /// Performs work that is not in the site with swapctl's own rights: a request to a server, or a look
    /// at a process.
    func asCaller<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let owner, let caller, (try? UserRights.ofThread()) != caller else {
            return try body()
        }
        Self.take(caller)
        defer { Self.take(owner) }
        return try body()
    }

    /// Restores the own rights of this thread, after the work in a site.
    package static func restoreOwn() {
        let mine = ProcessEnvironment.effectiveUserID
        guard let now = try? UserRights.ofThread(), now.userID != mine else { return }
        take(UserRights(of: mine))
    }

    /// Takes rights, or ends the process: no work may be done with other rights than the intended ones.
    private static func take(_ rights: UserRights) {
        do {
            try rights.takeForFiles()
        } catch {
            StandardStream.error.write(
                "swapctl: cannot take the rights of \(name(rights.userID)): \(error)\n")
            ProcessExit.immediately(status: CInt(ExitCode.permission.rawValue))
        }
    }

    /// Whether this process may use a file of the site.
    func permits(_ facts: FileFacts) -> Bool {
        if let owner { return facts.userID == owner.userID }
        return ProcessEnvironment.effectiveUserID != 0 || Place("", facts).isOfRootAlone
    }

    /// The name of a user, for messages.
    package static func name(_ userID: UInt32) -> String {
        User.withID(userID)?.name ?? "uid \(userID)"
    }
}

// MARK: - Decision

extension SiteRights {
    /// A file or a directory on the path of a site, or in the site.
    package struct Place: Sendable, Hashable {
        package var path: String
        package var userID: UInt32
        package var mode: UInt32
        package var isLink: Bool

        package init(path: String, userID: UInt32, mode: UInt32, isLink: Bool = false) {
            self.path = path
            self.userID = userID
            self.mode = mode
            self.isLink = isLink
        }

        init(_ path: String, _ facts: FileFacts) {
            self.init(
                path: path, userID: facts.userID, mode: facts.mode, isLink: facts.isSymbolicLink)
        }

        var isWritableByOthers: Bool { !isLink && mode & 0o022 != 0 }
        var isOfRootAlone: Bool { userID == 0 && !isWritableByOthers }
        /// Whether only the owner of a name may remove it from the directory.
        var isSticky: Bool { mode & 0o1000 != 0 }
    }

    /// The user whose rights `user` has to take; nil: none.
    ///
    /// `above` are the directories and links on the path of the site, `inside` are the places in it that
    /// decide what is executed. Throws if several users can change these places.
    package static func owner(
        for user: UInt32, site: Place, above: [Place], inside: [Place]
    ) throws(ControlError) -> UInt32? {
        guard user == 0 else { return nil }
        if site.userID != 0 {
            for place in above where place.userID != 0 && place.userID != site.userID {
                throw unsafe(
                    "\(place.path) belongs to \(name(place.userID)), but \(site.path), to which it "
                        + "leads, belongs to \(name(site.userID)); give the path of the site itself"
                )
            }
            for place in above where place.isWritableByOthers && !place.isSticky {
                throw unsafe(
                    "other users may write \(place.path), and put another directory into the place of "
                        + "\(site.path), in which root executes programs as \(name(site.userID)); run "
                        + "`chmod go-w \(place.path)`")
            }
            for place in inside where place.userID != site.userID {
                throw unsafe(
                    "\(place.path) belongs to \(name(place.userID)), but \(site.path) belongs to "
                        + "\(name(site.userID)), with whose rights root works in it; run "
                        + "`chown -Rh \(name(site.userID)): \(place.path)`")
            }
            return site.userID
        }
        for place in above where !place.isOfRootAlone && !(place.userID == 0 && place.isSticky) {
            throw unsafe(of: place, site)
        }
        for place in [site] + inside where !place.isOfRootAlone { throw unsafe(of: place, site) }
        return nil
    }

    private static func unsafe(of place: Place, _ site: Place) -> ControlError {
        if place.userID != 0 {
            return unsafe(
                "\(place.path) belongs to \(name(place.userID)), who can decide by it what root does in "
                    + "\(site.path); run `chown -h root: \(place.path)`, or give the whole site to "
                    + "its user by `chown -Rh`")
        }
        return unsafe(
            "other users than root may write \(place.path), and decide by it what root executes; run "
                + "`chmod go-w \(place.path)`, or give the whole site to its user by `chown -Rh`")
    }

    private static func unsafe(_ message: String) -> ControlError {
        ControlError(code: "permission", message: message, exitCode: .permission)
    }
}

// MARK: - Programs

extension SiteRights {
    /// The environment of a program that is run as the owner: only known variables of this
    /// process, because others may hold secrets of root.
    package static func environment(
        _ variables: [String], of user: UInt32, home: String?, name: String?
    ) -> [String] {
        var kept = variables.filter { entry in
            let key = entry.prefix { $0 != "=" }
            return ["PATH", "TZ", "LANG", "LANGUAGE"].contains(key) || key.hasPrefix("LC_")
                || key.hasPrefix("SUCCESSION_")
        }
        kept.append("HOME=\(home ?? "/")")
        if let name { kept += ["USER=\(name)", "LOGNAME=\(name)"] }
        return kept
    }

    /// Makes a program run as the owner, if the rights of that user were taken.
    func apply(to request: inout SpawnRequest, in site: Directory) {
        guard let owner else { return }
        let user = User.withID(owner.userID)
        request.user = owner
        request.environment = Self.environment(
            request.environment, of: owner.userID, home: user?.home, name: user?.name)
        // The working directory of root may be closed to the owner.
        request.workingDirectory = site.descriptor.rawValue
    }
}
