// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl
import SystemPackage

/// Where the releases of one application lie.
///
/// `release/` holds them side by side, `current.conf` names the files of the current one, links
/// point to those, and `.succession/` holds the journal and the checksums.
package struct ReleaseSite: Sendable, Hashable {
    /// Absolute, without links.
    package let directory: String
    /// The file that names the current release.
    package let currentPath: String
    /// What the names of the links begin with: `app` in `app.bin`.
    package let name: String
    /// The directory itself: all that is done in it is done by way of this.
    let root: Directory
    /// With whose rights.
    package let rights: SiteRights

    package var releaseDirectory: String { directory + "/" + Self.releaseName }
    var stateDirectory: String { directory + "/" + Self.stateName }
    var currentName: String { Path.name(currentPath) }
    var journalPath: String { stateDirectory + "/" + Self.journalName }
    var checksumsPath: String { stateDirectory + "/" + Self.checksumsName }
    var servingPath: String { stateDirectory + "/" + Self.servingName }
    var intentPath: String { stateDirectory + "/" + Self.intentName }

    static let journalName = "journal"
    /// What was written before the journal was put aside for a new one.
    static let oldJournalName = "journal.1"
    static let checksumsName = "SHA256SUMS"
    static let servingName = "serving"
    static let intentName = "intent"
    /// What `current.conf` said when it was last refused.
    static let refusedName = "refused.conf"
    /// A copy of what `current.conf` says while it serves, for a return for which a full disk has no
    /// room.
    static let spareName = "spare.conf"

    package func linkPath(_ key: String) -> String { "\(directory)/\(linkName(key))" }
    func linkName(_ key: String) -> String { "\(name).\(key)" }

    static let releaseName = "release"
    static let stateName = ".succession"

    init(_ root: Directory, _ rights: SiteRights, currentName: String, name: String) {
        directory = root.path
        self.root = root
        self.rights = rights
        self.name = name
        currentPath = root.path + "/" + currentName
    }

    /// Finds the site: `--current`, else `SUCCESSION_CURRENT`, else above the program of the
    /// generation that serves, else in the working directory.
    ///
    /// `current` is the path of the file, which need not be there yet, or of its directory. The
    /// name is the one given, else the one recorded when the site was first watched, else that of
    /// the directory.
    package static func locate(
        current: String?, name: String? = nil, service: Service? = nil
    ) throws(ControlError) -> ReleaseSite {
        let path = try Path.absolute(currentPath(current, service))
        let facts = try? Syscall.status(path)
        let isDirectory = facts?.isDirectory == true
        let parent = isDirectory ? path : Path.parent(path)
        let currentName = isDirectory ? defaultName : Path.name(path)
        try checkIsThere(parent, facts == nil ? path : nil)
        let (root, rights) = try open(parent, currentName)
        let site = ReleaseSite(
            root, rights, currentName: currentName, name: name ?? Path.name(root.path))
        guard isValidName(site.name) else {
            throw .wrongUsage(
                "'\(site.name)' cannot begin the name of a link; give --name with letters, digits, "
                    + "- and _")
        }
        if name == nil, let recorded = try ServingRecord.serving(site)?.name {
            return ReleaseSite(root, rights, currentName: currentName, name: recorded)
        }
        return site
    }

    static let defaultName = "current.conf"

    /// A directory that is missing is not made, and not taken for a file in the one above.
    private static func checkIsThere(
        _ directory: String, _ missing: String?
    ) throws(ControlError) {
        let isFile = missing.map { Path.name($0).contains(".") } ?? true
        let path = isFile ? directory : missing ?? directory
        do {
            _ = try Syscall.status(path)
        } catch {
            guard error == .noSuchFileOrDirectory else { return }
            throw .wrongUsage(
                "there is no directory \(path): make it, for example by `mkdir -p \(path)`, or give "
                    + "the one of the releases with --current")
        }
    }

    private static func currentPath(
        _ given: String?, _ service: Service?
    ) throws(ControlError) -> String {
        if let given {
            if given.isEmpty {
                throw .wrongUsage("--current is empty; give the path of current.conf")
            }
            return given
        }
        if let variable = ProcessEnvironment.value("SUCCESSION_CURRENT"), !variable.isEmpty {
            return variable
        }
        if let service, let found = ofServing(service) { return found }
        // A site that is new has no such file yet.
        for name in [defaultName, "release", ".succession"]
        where (try? Syscall.linkStatus(name)) != nil { return defaultName }
        throw .wrongUsage(
            "no \(defaultName) and no release directory here, and none above the program that "
                + "serves; give the directory of the releases with --current DIRECTORY, or set "
                + "SUCCESSION_CURRENT")
    }

    /// The `current.conf` of the site in whose release directory the serving program lies.
    package static func ofServing(_ service: Service) -> String? {
        guard let status = try? ControlClient(service).servingStatus(timeout: .seconds(1)),
            let pid = status.visibleProcessID,
            let program = try? Syscall.readLink("/proc/\(pid)/exe")
        else { return nil }
        var directory = Path.parent(program)
        while directory != "/", directory != "." {
            if Path.name(directory) == "release" {
                let path = Path.parent(directory) + "/" + defaultName
                return (try? Syscall.linkStatus(path)) == nil ? nil : path
            }
            directory = Path.parent(directory)
        }
        return nil
    }

    static func isValidName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 100 && !name.hasPrefix(".") && !name.hasPrefix("-")
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                    || (0x61...0x7A).contains(byte) || byte == 0x2D || byte == 0x5F || byte == 0x2E
            }
    }
}
