// SPDX-License-Identifier: Apache-2.0

import CSuccession
import Glibc
package import SystemPackage

/// Who is at the other end of a Unix socket, as the kernel vouches for it.
package struct PeerCredentials: Sendable, Hashable {
    /// 0 if the process is in a pid namespace that cannot be seen from here.
    package var processID: Int32
    /// The overflow user (65534) if the user has no number in this user namespace.
    package var userID: UInt32
    package var groupID: UInt32

    package init(processID: Int32, userID: UInt32, groupID: UInt32) {
        self.processID = processID
        self.userID = userID
        self.groupID = groupID
    }

    init(_ credentials: csuccession_credentials) {
        self.init(
            processID: credentials.pid, userID: credentials.uid, groupID: credentials.gid)
    }

    /// Who called connect(2), listen(2) or socketpair(2) at the other end: not necessarily who
    /// writes there now.
    ///
    /// The corresponding C function is `getsockopt` with SO_PEERCRED.
    package static func of(_ socket: CInt) throws(Errno) -> PeerCredentials {
        var credentials = csuccession_credentials()
        _ = try Syscall.shim(csuccession_peer_credentials(socket, &credentials))
        return PeerCredentials(credentials)
    }

    /// The process that called connect(2), listen(2) or socketpair(2) at the other end, by a pidfd
    /// where the kernel gives one (Linux 6.5), else by its number.
    ///
    /// Nil: it is gone, or in a pid namespace that cannot be seen from here. The corresponding C
    /// function is `getsockopt` with SO_PEERPIDFD.
    package static func process(of socket: CInt) -> ProcessHandle? {
        guard let peer = try? of(socket), peer.processID > 0 else { return nil }
        let peerPidfd: CInt = 77  // SO_PEERPIDFD, which glibc 2.39 names first
        if let raw = try? Syscall.option(socket, level: SOL_SOCKET, name: peerPidfd), raw >= 0 {
            return ProcessHandle(
                processID: peer.processID, pidfd: OwnedDescriptor(taking: raw))
        }
        return try? ProcessHandle.open(peer.processID)
    }

    /// Has every packet received on the socket name its sender (SO_PASSCRED).
    package static func enablePassing(_ fd: CInt) throws(Errno) {
        try Syscall.setOption(fd, level: SOL_SOCKET, name: SO_PASSCRED, value: 1)
    }

    /// Has senders of descriptors to this socket get EPERM (SO_PASSRIGHTS); false where the kernel
    /// cannot (before 6.16).
    ///
    /// Connections accepted from a listener inherit it.
    package static func refuseDescriptors(_ fd: CInt) -> Bool {
        let passRights: CInt = 83  // SO_PASSRIGHTS, which no C library names yet
        do {
            try Syscall.setOption(fd, level: SOL_SOCKET, name: passRights, value: 0)
            return true
        } catch {
            return false
        }
    }
}
