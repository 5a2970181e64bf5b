// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import SwapReleases
import Testing

@Suite struct LockTableTests {
    private let table = LockTable(
        """
        1: POSIX  ADVISORY  WRITE 812 08:01:131090 0 EOF
        2: FLOCK  ADVISORY  WRITE 4711 08:01:131090 0 EOF
        2: -> FLOCK  ADVISORY  WRITE 4712 08:01:131091 0 EOF
        3: FLOCK  ADVISORY  WRITE 4713 103:0a:77 0 EOF
        """)

    @Test func file_withTheSameInodeOnAnotherDevice_isNotLocked() {
        #expect(table.hasLocked(.init(major: 8, minor: 1, inode: 131_090)))
        #expect(!table.hasLocked(.init(major: 8, minor: 2, inode: 131_090)))
        #expect(!table.hasLocked(.init(major: 0, minor: 1, inode: 131_090)))
        #expect(table.hasLocked(.init(major: 0x103, minor: 10, inode: 77)))
    }

    /// A number that only ends in the same digits is another number.
    @Test func file_whoseInodeEndsAlike_isNotLocked() {
        #expect(!table.hasLocked(.init(major: 8, minor: 1, inode: 90)))
        #expect(!table.hasLocked(.init(major: 8, minor: 1, inode: 131_091)))
    }

    /// On a file system such as btrfs, stat(2) shows another device than that of the mount.
    @Test func file_isOnTheDeviceOfItsMount() {
        var file = LockTable.File(major: 0, minor: 99, inode: 5)
        file.correct(
            info: "pos:\t0\nflags:\t0100000\nmnt_id:\t36\nino:\t77\n",
            mounts: """
                35 1 8:1 / / rw - ext4 /dev/root rw
                36 35 259:10 / /srv rw,noatime - btrfs /dev/x rw
                """)
        #expect(file == .init(major: 259, minor: 10, inode: 77))
        #expect(table.hasLocked(file))
    }

    /// A watch on another device has a lock with the same inode.
    @Test func use_whenALockElsewhereHasTheSameInode_isNotTakenForWatched() throws {
        let test = try TestSite()
        try test.program("1.0")
        try test.write("current.conf", "{\"bin.file\": \"\(test.directory)/release/app.1.0\"}")
        _ = try ReleaseSelection.use(["1.0"], in: test.site)
        let path = test.directory + "/.succession/watch.lock"
        _ = FileManager.default.createFile(atPath: path, contents: Data())
        let inode = try Syscall.linkStatus(path).inode
        guard let other = try SameInode(inode, notOn: path) else {
            print("no second file system gives out inode \(inode): not tried here")
            return
        }
        try Syscall.awaitLock(other.file.rawValue)
        #expect(try ReleaseSelection.use(["1.0"], in: test.site).watcher == nil)
    }

    @Test func use_whenSomebodyWatches_isLeftToTheWatch() throws {
        let test = try TestSite()
        try test.program("1.0")
        try test.write("current.conf", "{\"bin.file\": \"\(test.directory)/release/app.1.0\"}")
        _ = try ReleaseSelection.use(["1.0"], in: test.site)
        try test.write(".succession/watch.lock", "4711\n")
        let path = test.directory + "/.succession/watch.lock"
        let watch = try Syscall.open(path, .readOnly)
        try Syscall.awaitLock(watch.rawValue)
        #expect(try ReleaseSelection.use(["1.0"], in: test.site).watcher == 4_711)
        watch.close()
        #expect(try ReleaseSelection.use(["1.0"], in: test.site).watcher == nil)
    }
}

/// A file on a new tmpfs, whose inode numbers begin anew.
private final class SameInode {
    let file: OwnedDescriptor
    private let directory: String

    init?(_ inode: UInt64, notOn path: String) throws {
        directory = "/dev/shm/succession-\(UInt32.random(in: 0 ... .max))"
        let device = try Syscall.linkStatus(path).device
        guard (try? Syscall.makeDirectory(directory, mode: 0o700)) != nil,
            try Syscall.linkStatus(directory).device != device
        else { return nil }
        let first = try Syscall.linkStatus(directory).inode
        guard first < inode, inode - first < 200_000 else {
            try? Syscall.removeDirectory(directory)
            return nil
        }
        var found: OwnedDescriptor?
        for _ in first..<inode {
            let path = directory + "/x"
            let file = try Syscall.open(path, [.readWrite, .create, .exclusive], mode: 0o600)
            if try Syscall.status(of: file.rawValue).inode == inode { found = file }
            try Syscall.unlink(path)
        }
        guard let found else { return nil }
        file = found
    }

    deinit { try? Syscall.removeDirectory(directory) }
}
