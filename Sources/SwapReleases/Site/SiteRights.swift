// SPDX-License-Identifier: Apache-2.0

package import SuccessionSystem
package import SwapControl
import SystemPackage

/// With whose rights swapctl works in a site.
///
/// Root works as root only where nobody else can change anything: who may write there would else
/// decide what root reads, writes and executes. In a site of somebody else it takes the rights of
/// the owner for all that it does with files, and runs programs as the owner.
package struct SiteRights: Sendable, Hashable {
    /// Whose rights were taken; nil: swapctl works with its own.
    package let owner: UserRights?
    /// Its own.
    private let caller: UserRights?

    static let own = SiteRights(owner: nil, caller: nil)

    /// Whose rights were taken, for people.
    package var ownerName: String? { owner.map { Self.name($0.userID) } }

    /// As whom programs are run.
    var userID: UInt32 { owner?.userID ?? ProcessEnvironment.effectiveUserID }

    private init(owner: UserRights?, caller: UserRights?) {
        self.owner = owner
        self.caller = caller
    }

    /// Has this thread, which is the only one that touches files, work with the rights of a user.
    static func taking(_ userID: UInt32) throws(ControlError) -> SiteRights {
        let rights = try attempt("cannot take the rights of \(name(userID))") {
            () throws(Errno) in
            let caller = try UserRights.ofThread()
            // A second site of the same process.
            if caller.userID == userID { return SiteRights.own }
            let owner = UserRights(of: userID)
            try owner.takeForFiles()
            return SiteRights(owner: owner, caller: caller)
        }
        return rights
    }

    /// Does with the rights of this process itself what is not done in the site: asks a server, or
    /// looks at a process.
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

    /// Gives this thread its own rights back, when nothing more is done in a site.
    package static func giveBack() {
        let mine = ProcessEnvironment.effectiveUserID
        guard let now = try? UserRights.ofThread(), now.userID != mine else { return }
        take(UserRights(of: mine))
    }

    /// Nothing is to be done with other rights than those that were meant.
    private static func take(_ rights: UserRights) {
        do {
            try rights.takeForFiles()
        } catch {
            StandardStream.error.write(
                "swapctl: cannot take the rights of \(name(rights.userID)): \(error)\n")
            ProcessExit.immediately(status: CInt(ExitCode.permission.rawValue))
        }
    }

    /// Whether what lies in the site may be used by this process.
    func permits(_ facts: FileFacts) -> Bool {
        if let owner { return facts.userID == owner.userID }
        return ProcessEnvironment.effectiveUserID != 0 || Place("", facts).isOfRootAlone
    }

    /// A user for messages.
    package static func name(_ userID: UInt32) -> String {
        User.withID(userID)?.name ?? "uid \(userID)"
    }
}

// MARK: - Decision

extension SiteRights {
    /// A file or a directory on the way to a site, or in it.
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
        /// In such a directory nobody but the owner takes a name away.
        var isSticky: Bool { mode & 0o1000 != 0 }
    }

    /// Whose rights `user` takes; nil: none.
    ///
    /// `above` are the directories and links by which the site was found, `inside` is what decides
    /// in it. Throws where the rights of no single user would do.
    package static func owner(
        for user: UInt32, site: Place, above: [Place], inside: [Place]
    ) throws(ControlError) -> UInt32? {
        guard user == 0 else { return nil }
        if site.userID != 0 {
            for place in above where place.userID != 0 && place.userID != site.userID {
                throw unsafe(
                    "\(place.path) belongs to \(name(place.userID)), and \(site.path), to which it "
                        + "leads, to \(name(site.userID)); give the path of the site itself")
            }
            for place in inside where place.userID != site.userID {
                throw unsafe(
                    "\(place.path) belongs to \(name(place.userID)), and \(site.path) to "
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
                "\(place.path) belongs to \(name(place.userID)), who so decides what root does in "
                    + "\(site.path); run `chown -h root: \(place.path)`, or give the whole site to "
                    + "its user by `chown -Rh`")
        }
        return unsafe(
            "others than root may write \(place.path), and so decide what root executes; run "
                + "`chmod go-w \(place.path)`, or give the whole site to its user by `chown -Rh`")
    }

    private static func unsafe(_ message: String) -> ControlError {
        ControlError(code: "permission", message: message, exitCode: .permission)
    }
}

// MARK: - Programs

extension SiteRights {
    /// The variables for a program that is run as the owner: what this process was given may be meant
    /// for it alone.
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

    /// Has a request run as the owner, if another user's rights were taken.
    func apply(to request: inout SpawnRequest, in site: Directory) {
        guard let owner else { return }
        let user = User.withID(owner.userID)
        request.user = owner
        request.environment = Self.environment(
            request.environment, of: owner.userID, home: user?.home, name: user?.name)
        // Root's own may be one which nobody else could enter.
        request.workingDirectory = site.descriptor.rawValue
    }
}
