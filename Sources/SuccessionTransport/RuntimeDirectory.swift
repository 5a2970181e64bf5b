// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
package import SuccessionSystem
package import SystemPackage

/// The directory in which the generations of one service are found (docs/protocol.md §3).
///
/// It is the only registry there is: a process that answers on a socket in it lives, the holder of the lock is
/// the service.
package struct RuntimeDirectory: Sendable, Hashable {
    package let path: String

    package init(path: String) {
        self.path = path
    }

    /// Finds the directory of a service.
    ///
    /// An explicit path wins, then `SUCCESSION_RUNTIME_DIRECTORY`, then the first entry of
    /// systemd's `RUNTIME_DIRECTORY`, then `/run/<service>` for root or
    /// `$XDG_RUNTIME_DIR/<service>`. Nil: none of these is set.
    package static func locate(service: String, explicit: String? = nil) -> RuntimeDirectory? {
        if let explicit { return RuntimeDirectory(path: explicit) }
        if let own = ProcessEnvironment.value("SUCCESSION_RUNTIME_DIRECTORY"), !own.isEmpty {
            return RuntimeDirectory(path: own)
        }
        if let entries = ProcessEnvironment.value("RUNTIME_DIRECTORY"),
            let first = entries.split(separator: ":").first
        {
            return RuntimeDirectory(path: String(first))
        }
        return parents.first.map { RuntimeDirectory(path: $0 + "/" + service) }
    }

    /// Where directories of services lie when nobody says otherwise.
    package static var parents: [String] {
        if ProcessEnvironment.effectiveUserID == 0 { return ["/run"] }
        if let own = ProcessEnvironment.value("XDG_RUNTIME_DIR"), !own.isEmpty { return [own] }
        return []
    }

    /// A name that can be a directory and a column of a table: no slash, space or control
    /// character, no leading dot.
    package static func isValidServiceName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 100 && !name.hasPrefix(".") && !name.hasPrefix("-")
            && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }
    }

    /// Directories of the system in /run, and of daemons that are on most machines.
    private static let systemNames: Set<String> = [
        "NetworkManager", "apache2", "avahi-daemon", "blkid", "containerd", "credentials", "crond",
        "cryptsetup", "dbus", "docker", "fsck", "host", "initctl", "initramfs", "lock", "log",
        "lvm",
        "mount", "mysqld", "needrestart", "netns", "nginx", "openrc", "php", "plymouth", "podman",
        "polkit-1", "postgresql", "resolvconf", "rpcbind", "runit", "s6", "sendsigs.omit.d", "shm",
        "sshd", "sudo", "supervisor", "systemd", "tmpfiles.d", "tpm2-tss", "udev", "udisks2",
        "user",
        "utmp", "uuidd", "wpa_supplicant",
    ]

    /// Whether a service would find its sockets in a directory of the system: only where nobody says
    /// where they are.
    package static func isOfTheSystem(_ service: String, explicit: String? = nil) -> Bool {
        systemNames.contains(service)
            && locate(service: service, explicit: explicit)?.path == "/run/" + service
    }

    /// For messages: whose it is, and who may write to it.
    package var ownership: String {
        guard let facts = try? Syscall.status(path) else { return "" }
        let mode = String(facts.mode & 0o7777, radix: 8)
        return "it belongs to uid \(facts.userID) and has mode 0\(mode);"
    }

    package var lockPath: String { path + "/lock" }
    package var servingPath: String { path + "/serving" }
    package func controlPath(_ generation: Int) -> String {
        path + "/" + Self.socketName(generation)
    }

    package static func socketName(_ generation: Int) -> String { "\(generation).sock" }

    /// The generation whose control socket has this name; nil: it is none, or is written otherwise
    /// than a generation would write it.
    package static func generation(ofSocket name: String) -> Int? {
        guard name.hasSuffix(".sock"),
            let number = WireNumber.parse(name.dropLast(5), in: NumericKey.generations),
            name == socketName(number)
        else { return nil }
        return number
    }

    /// Makes the directory (0700) unless it is there, and refuses one that somebody else owns or
    /// can write.
    package func prepare() throws(Errno) {
        do {
            try Syscall.makeDirectory(path, mode: 0o700)
        } catch {
            if error != .fileExists { throw error }
        }
        let facts = try Syscall.status(path)
        guard facts.isDirectory else { throw .notDirectory }
        let owner = facts.userID == ProcessEnvironment.effectiveUserID || facts.userID == 0
        if !owner || facts.mode & 0o022 != 0 { throw .notPermitted }
    }

    /// The lock of the service; nil if another process holds it.
    package func takeLock() throws(Errno) -> OwnedDescriptor? {
        let lock = try Syscall.open(lockPath, .readWriteCreate, mode: 0o600)
        return try Syscall.lockExclusively(lock.rawValue) ? lock : nil
    }

    /// The numbers for which there is a control socket, living or stale, in ascending order.
    package func generations() -> [Int] {
        guard let entries = try? Syscall.listDirectory(path) else { return [] }
        return entries.compactMap(Self.generation(ofSocket:)).sorted()
    }

    /// The generation to which the `serving` link points.
    package func servingGeneration() -> Int? {
        (try? Syscall.readLink(servingPath)).flatMap(Self.generation(ofSocket:))
    }

    /// Points `serving` to a generation by rename(2): there is a link at every moment.
    package func publishServing(_ generation: Int) throws(Errno) {
        let temporary = path + "/.serving.\(ProcessEnvironment.processID)"
        let target = "\(generation).sock"
        do {
            try Syscall.symbolicLink(to: target, at: temporary)
        } catch {
            // Left by a process of the same number that was killed in between.
            guard error == .fileExists else { throw error }
            try Syscall.unlink(temporary)
            try Syscall.symbolicLink(to: target, at: temporary)
        }
        try Syscall.rename(temporary, servingPath)
    }
}
