// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SystemPackage

/// The control socket of one generation, found once.
///
/// Every connection made by one value reaches the same socket, whatever its name leads to by then,
/// and nobody but a process of the directory's owner: who may write into the directory cannot have
/// an order that was meant for one service carried out by another.
package struct ControlSocket: Sendable {
    package let generation: Int
    /// The user whom the runtime directory belongs to.
    package let owner: UInt32
    private let directory: RuntimeDirectory
    private let entry: OwnedDescriptor
    private let identity: FileIdentity

    /// Finds the socket; ENOENT: there is none, ENOTSOCK: what has its name is no socket, a symbolic
    /// link for example, which is never followed.
    init(_ generation: Int, in directory: RuntimeDirectory) throws(Errno) {
        let opened = try Syscall.open(directory.path, .pathOnlyDirectory)
        let name = RuntimeDirectory.socketName(generation)
        entry = try Syscall.openEntry(
            name, of: opened.rawValue, [.pathOnly, .noFollow])
        owner = try Syscall.status(of: opened.rawValue).userID
        let facts = try Syscall.status(of: entry.rawValue)
        guard facts.isSocket else { throw .notSocket }
        identity = facts.identity
        self.directory = directory
        self.generation = generation
    }

    /// Connects; waits at most two seconds for room in its queue if it is patient.
    ///
    /// ECONNREFUSED: the socket is stale. EAGAIN: the server lets nobody in. EPERM: who listens is
    /// another user than the directory's owner, and nothing was sent to it.
    package func connect(isPatient: Bool = true) throws(Errno) -> MessageSocket {
        let socket = try Syscall.openSocket(
            family: .unix, type: .sequencedPacket, nonBlocking: !isPatient)
        // A server that hangs leaves its queue full, and a client that connects would hang with it.
        if isPatient { try Syscall.setSendTimeout(socket.rawValue, milliseconds: 2_000) }
        do {
            try entry.withRawValue { (fd) throws(Errno) in
                try Syscall.connect(socket.rawValue, to: .unixPath("/proc/self/fd/\(fd)"))
            }
        } catch {
            // Without /proc there is no way but by the name.
            guard error == .noSuchFileOrDirectory else { throw error }
            try connectByName(socket)
        }
        guard try PeerCredentials.of(socket.rawValue).userID == owner else { throw .notPermitted }
        return MessageSocket(socket)
    }

    /// The name must lead to the same socket before and after.
    private func connectByName(_ socket: OwnedDescriptor) throws(Errno) {
        try checkName()
        try directory.withSocketAddress(RuntimeDirectory.socketName(generation)) {
            (address) throws(Errno) in
            try Syscall.connect(socket.rawValue, to: address)
        }
        try checkName()
    }

    private func checkName() throws(Errno) {
        let facts = try Syscall.linkStatus(directory.controlPath(generation))
        guard facts.isSocket, facts.identity == identity else { throw .notSocket }
    }
}

extension RuntimeDirectory {
    /// Finds the control socket of a generation.
    ///
    /// ENOENT: there is none. ENOTSOCK: what has its name is no socket.
    package func find(_ generation: Int) throws(Errno) -> ControlSocket {
        try ControlSocket(generation, in: self)
    }

    /// Finds the control socket of the generation that serves, by what the link `serving` says: the
    /// link itself is not followed.
    ///
    /// ENOENT: there is no link, or no socket where it points to. EINVAL: `serving` is no link to
    /// `<generation>.sock`.
    package func findServing() throws(Errno) -> ControlSocket {
        let target = try Syscall.readLink(servingPath)
        guard let generation = Self.generation(ofSocket: target) else { throw .invalidArgument }
        return try find(generation)
    }
}
