// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Names one file as long as it exists, whatever its path.
package struct FileIdentity: Sendable, Hashable {
    package var device: UInt64
    package var inode: UInt64

    package init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    /// The two numbers of the device, as the C library packs them; the corresponding macros are
    /// `major` and `minor`.
    package var major: UInt64 { (device >> 8) & 0xFFF | (device >> 32) & ~0xFFF }
    package var minor: UInt64 { device & 0xFF | (device >> 12) & ~0xFF }
}

/// What the file system says about a file.
package struct FileFacts: Sendable, Hashable {
    package var identity: FileIdentity
    /// Permissions, without the kind.
    package var mode: UInt32
    package var userID: UInt32
    package var groupID: UInt32
    package var size: Int
    /// When the content last changed, in seconds since 1970.
    package var modifiedAt: Int
    /// The same in nanoseconds, or the nearest moment that they can tell.
    package var modifiedAtNanoseconds: Int
    private var kind: UInt32

    init(_ status: stat) {
        identity = FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        mode = status.st_mode & 0o7777
        kind = status.st_mode & S_IFMT
        userID = status.st_uid
        groupID = status.st_gid
        size = Int(status.st_size)
        modifiedAt = Int(status.st_mtim.tv_sec)
        modifiedAtNanoseconds = Nanoseconds.of(
            seconds: modifiedAt, nanoseconds: Int(status.st_mtim.tv_nsec))
    }

    package var device: UInt64 { identity.device }
    package var inode: UInt64 { identity.inode }
    package var isRegularFile: Bool { kind == S_IFREG }
    package var isDirectory: Bool { kind == S_IFDIR }
    package var isSocket: Bool { kind == S_IFSOCK }
    package var isSymbolicLink: Bool { kind == S_IFLNK }
    package var isPipe: Bool { kind == S_IFIFO }
    package var isCharacterDevice: Bool { kind == S_IFCHR }
    /// A file somebody may execute; whether this process may, only execve(2) tells.
    package var isExecutable: Bool { isRegularFile && mode & 0o111 != 0 }
}
