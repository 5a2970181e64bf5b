// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// The directory of one application's releases.
///
/// `release/` holds the releases side by side, `current.conf` names the files of the current one, links
/// lead to those files, and `.succession/` holds the journal, the records and the checksums.
package struct ReleaseSite: Sendable, Hashable {
    /// Absolute, without links.
    package let directory: String
    /// The file that names the current release.
    package let currentPath: String
    /// The prefix of the links' names: `app` in `app.bin`.
    package let name: String
    /// The open directory, by which all files of the site are reached.
    let root: Directory
    /// The rights with which swapctl works in the site.
    package let rights: SiteRights

    package var releaseDirectory: String { directory + "/" + Self.releaseName }
    var stateDirectory: String { directory + "/" + Self.stateName }
    var currentName: String { Path.name(currentPath) }
    var journalPath: String { stateDirectory + "/" + Self.journalName }
    var checksumsPath: String { stateDirectory + "/" + Self.checksumsName }
    var servingPath: String { stateDirectory + "/" + Self.servingName }
    var intentPath: String { stateDirectory + "/" + Self.intentName }

    static let journalName = "journal"
    /// The journal before the last rotation.
    static let oldJournalName = "journal.1"
    static let checksumsName = "SHA256SUMS"
    static let servingName = "serving"
    static let intentName = "intent"
    /// The text of `current.conf` that was refused last.
    static let refusedName = "refused.conf"
    /// A copy of the serving `current.conf`, from which it can be restored on a full disk.
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

    static func isValidName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 100 && !name.hasPrefix(".") && !name.hasPrefix("-")
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                    || (0x61...0x7A).contains(byte) || byte == 0x2D || byte == 0x5F || byte == 0x2E
            }
    }
}
