// SPDX-License-Identifier: Apache-2.0

import CSuccession
import Glibc
package import SystemPackage

/// What decides which files a thread may touch: a user, a group, and further groups.
///
/// Linux keeps it for each thread beside the user it runs as: only access to files is decided by it,
/// not to whom signals may be sent, nor who a peer on a Unix socket takes the process for. What a
/// thread that root has given the rights of somebody else does with files, that user could have
/// done; and that user can neither signal nor trace the process.
package struct UserRights: Sendable, Hashable {
    package var userID: UInt32
    package var groupID: UInt32
    package var groups: [UInt32]

    /// As the user database has it; one who is not in it has the group nobody has, and no others.
    ///
    /// The corresponding C functions are `getpwuid_r` and `getgrouplist`.
    package init(of userID: UInt32) {
        var primary: UInt32 = 0
        var groups = [UInt32](repeating: 0, count: 256)
        let count = csuccession_user_groups(userID, &primary, &groups, groups.count)
        self.userID = userID
        groupID = count < 0 ? Self.nobody : primary
        self.groups = count < 0 ? [] : Array(groups.prefix(Int(count)))
    }

    private static let nobody: UInt32 = 65_534

    /// Those of the calling thread.
    package static func ofThread() throws(Errno) -> UserRights {
        // What cannot be a user changes nothing, and the call returns what there was.
        let userID = csuccession_file_user()
        let groupID = csuccession_file_group()
        var groups = [UInt32](repeating: 0, count: 256)
        let count = try Syscall.shim(csuccession_groups(&groups, groups.count))
        return UserRights(
            userID: userID, groupID: groupID, groups: Array(groups.prefix(Int(count))))
    }

    private init(userID: UInt32, groupID: UInt32, groups: [UInt32]) {
        self.userID = userID
        self.groupID = groupID
        self.groups = groups
    }

    /// Has the calling thread, and every thread it starts from now on, touch files with these rights.
    ///
    /// EPERM: only root may. If it throws the rights are some mixture of the old and the new ones.
    /// The corresponding system calls are `setgroups`, `setfsgid` and `setfsuid`.
    package func takeForFiles() throws(Errno) {
        _ = try Syscall.shim(
            csuccession_set_file_rights(userID, groupID, groups, groups.count))
    }
}
