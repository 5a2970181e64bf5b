// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SystemPackage

/// A name in a runtime directory that lasts for a moment, `.2.8697` or `.serving.1378`.
///
/// A control socket, or the link `serving`, has it before it is renamed. One that is found was left
/// by a process that was killed just then.
package struct Leftover: Sendable, Hashable {
    package let name: String
    /// Of a control socket; nil: it is the link.
    package let generation: Int?
    /// Who has made it.
    package let processID: Int32

    /// Nil: the name is none of these.
    package init?(_ name: String) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].isEmpty,
            let pid = WireNumber.parse(parts[2], in: NumericKey.processID.range)
        else { return nil }
        if parts[1] == "serving" {
            generation = nil
        } else {
            guard let number = WireNumber.parse(parts[1], in: NumericKey.generations) else {
                return nil
            }
            generation = number
        }
        self.name = name
        processID = Int32(clamping: pid)
    }

    /// Whether its maker may be about to rename it.
    private var isInUse: Bool {
        do {
            return try ProcessHandle.open(processID).isAlive()
        } catch {
            return error != .noSuchProcess
        }
    }

    /// Removes it, unless it is another kind of file, another user's, or in use; its maker cannot be at
    /// work if `isAlone`.
    fileprivate func remove(from directory: OwnedDescriptor, isAlone: Bool) {
        guard let facts = try? Syscall.entryStatus(name, of: directory.rawValue),
            generation == nil ? facts.isSymbolicLink : facts.isSocket,
            facts.userID == ProcessEnvironment.effectiveUserID,
            isAlone || !isInUse
        else { return }
        try? Syscall.removeEntry(name, of: directory.rawValue)
    }
}

extension RuntimeDirectory {
    /// Removes what processes that were killed have left half-way.
    ///
    /// Only for the holder of the lock; `isAlone` is for one who has just taken it, and so knows that
    /// nobody else is at work.
    package func removeLeftovers(isAlone: Bool = false) {
        guard let entries = try? Syscall.listDirectory(path),
            let directory = try? Syscall.open(path, .pathOnlyDirectory)
        else { return }
        for leftover in entries.compactMap(Leftover.init) {
            leftover.remove(from: directory, isAlone: isAlone)
        }
    }
}
