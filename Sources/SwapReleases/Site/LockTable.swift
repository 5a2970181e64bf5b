// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// The files that are locked by flock(2), from /proc/locks.
package struct LockTable: Sendable {
    /// A file as the table identifies it: by the device of its file system, which is not always the
    /// one of stat(2), and by its inode, which is unique only together with the device.
    package struct File: Sendable, Hashable {
        package var major: UInt64
        package var minor: UInt64
        package var inode: UInt64

        package init(major: UInt64, minor: UInt64, inode: UInt64) {
            self.major = major
            self.minor = minor
            self.inode = inode
        }

        /// Nil: the descriptor is not open.
        init?(_ file: OwnedDescriptor) {
            guard let facts = try? Syscall.status(of: file.rawValue) else { return nil }
            self.init(
                major: facts.identity.major, minor: facts.identity.minor, inode: facts.inode)
            guard let info = try? Syscall.readFile("/proc/self/fdinfo/\(file.rawValue)"),
                let mounts = try? Syscall.readFile("/proc/self/mountinfo")
            else { return }
            withExtendedLifetime(file) {}
            correct(info: Self.text(info), mounts: Self.text(mounts))
        }

        /// Replaces the device by that of the mount, and the inode by the one in `fdinfo`, which Linux
        /// has since 5.14.
        package mutating func correct(info: String, mounts: String) {
            let fields = info.split(separator: "\n").map { $0.split { " \t".contains($0) } }
            let value = { (name: String) in fields.first { $0.first == name[...] }?.last }
            if let number = value("ino:").flatMap({ UInt64($0) }) { inode = number }
            guard let mount = value("mnt_id:") else { return }
            for line in mounts.split(separator: "\n") {
                // 36 35 98:0 / /mnt rw,noatime - ext3 /dev/root rw
                let fields = line.split(separator: " ", maxSplits: 3)
                guard fields.count > 3, fields[0] == mount else { continue }
                let numbers = fields[2].split(separator: ":").compactMap { UInt64($0) }
                if numbers.count == 2 { (major, minor) = (numbers[0], numbers[1]) }
            }
        }

        private static func text(_ bytes: [UInt8]) -> String {
            String(decoding: bytes, as: UTF8.self)
        }
    }

    private let text: String

    package init(_ text: String) {
        self.text = text
    }

    /// Nil: /proc is not mounted.
    static func read() -> LockTable? {
        (try? Syscall.readFile("/proc/locks")).map {
            LockTable(String(decoding: $0, as: UTF8.self))
        }
    }

    package func hasLocked(_ file: File) -> Bool {
        let wanted = "\(Self.digits(file.major)):\(Self.digits(file.minor)):\(file.inode)"
        return text.split(separator: "\n").contains { line in
            // 1: FLOCK ADVISORY WRITE 4711 08:01:131090 0 EOF
            let fields = line.split(separator: " ")
            return fields.count > 5 && fields[1] == "FLOCK" && fields[5] == wanted
        }
    }

    /// Hexadecimal with at least two digits, as the kernel writes it.
    private static func digits(_ number: UInt64) -> String {
        (number < 16 ? "0" : "") + String(number, radix: 16)
    }
}
