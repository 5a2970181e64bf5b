// SPDX-License-Identifier: Apache-2.0

package import SuccessionSystem
package import SystemPackage

/// The listening control socket of one generation, and its name in the runtime directory.
package struct ControlEndpoint: Sendable {
    package let listener: OwnedDescriptor
    private let path: String
    private let identity: FileIdentity

    /// Binds under a temporary name, mode 0600 from the first moment, and renames it into place.
    package init(_ directory: RuntimeDirectory, generation: Int) throws(Errno) {
        let socket = try Syscall.openSocket(
            family: .unix, type: .sequencedPacket, nonBlocking: true)
        // Peers that hand descriptors to a socket on which none are expected get EPERM where the
        // kernel can say it.
        _ = PeerCredentials.refuseDescriptors(socket.rawValue)
        let temporary = ".\(generation).\(ProcessEnvironment.processID)"
        let temporaryPath = directory.path + "/" + temporary
        try? Syscall.unlink(temporaryPath)
        try Syscall.setMode(socket.rawValue, 0o600)
        try directory.withSocketAddress(temporary) { (address) throws(Errno) in
            try Syscall.bind(socket.rawValue, to: address)
        }
        try Syscall.listen(socket.rawValue, backlog: 128)
        path = directory.controlPath(generation)
        identity = try Syscall.linkStatus(temporaryPath).identity
        try Syscall.rename(temporaryPath, path)
        listener = socket
    }

    /// Removes the name, if it is still ours: a later generation may have taken it over.
    package func remove() {
        guard (try? Syscall.linkStatus(path))?.identity == identity else { return }
        try? Syscall.unlink(path)
    }
}

extension RuntimeDirectory {
    /// Connects to the control socket of a generation; waits at most two seconds for room in its
    /// queue.
    ///
    /// ECONNREFUSED: the socket is stale. ENOENT: there is none. EAGAIN: the server lets nobody in.
    package func connect(_ generation: Int) throws(Errno) -> MessageSocket {
        try find(generation).connect()
    }

    /// Connects to the generation that serves.
    package func connectServing() throws(Errno) -> MessageSocket {
        try findServing().connect()
    }

    /// Removes the sockets on which nobody listens, and returns the generations that live.
    ///
    /// Only for the holder of the lock: between the look and the removal nobody else may bind.
    package func removeStale() -> [Int] {
        generations().filter { !removeIfStale($0) }
    }

    /// Removes the socket of one generation if nobody listens on it; true if there is none now.
    ///
    /// What is no socket of the directory's owner is somebody else's, and stays. Only for the process that
    /// holds the lock.
    @discardableResult
    package func removeIfStale(_ generation: Int) -> Bool {
        switch knock(generation) {
        case .connectionRefused:
            guard isOwn(generation) else { return false }
            try? Syscall.unlink(controlPath(generation))
            return true
        case .noSuchFileOrDirectory: return true
        default: return false
        }
    }

    /// Whether somebody listens on the socket of a generation, answering or not.
    package func isLiving(_ generation: Int) -> Bool {
        let failure = knock(generation)
        return failure == nil || failure == .resourceTemporarilyUnavailable
    }

    /// What connecting to a generation fails with; nil if it answers.
    private func knock(_ generation: Int) -> Errno? {
        do throws(Errno) {
            _ = try connect(entry: "\(generation).sock", isPatient: false)
            return nil
        } catch {
            return error
        }
    }

    private func isOwn(_ generation: Int) -> Bool {
        guard let facts = try? Syscall.linkStatus(controlPath(generation)), facts.isSocket,
            let directory = try? Syscall.status(path)
        else { return false }
        return facts.userID == directory.userID
            || facts.userID == ProcessEnvironment.effectiveUserID
    }

    /// The pid of the process that listens on the socket of a generation, 0 if that cannot be seen
    /// from here; nil: nobody does, or it cannot be asked.
    package func listenerProcess(_ generation: Int) -> Int32? {
        guard let socket = try? connect(entry: "\(generation).sock", isPatient: false) else {
            return nil
        }
        return try? PeerCredentials.of(socket.descriptor.rawValue).processID
    }

    private func connect(entry: String, isPatient: Bool = true) throws(Errno) -> MessageSocket {
        guard let generation = Self.generation(ofSocket: entry) else { throw .invalidArgument }
        return try find(generation).connect(isPatient: isPatient)
    }

    /// The address of an entry, by way of `/proc/self/fd` where the path is too long for a socket
    /// address.
    func withSocketAddress(
        _ entry: String, _ body: (SocketAddress) throws(Errno) -> Void
    ) throws(Errno) {
        let direct = path + "/" + entry
        if direct.utf8.count <= SocketAddress.maximumPathLength {
            try body(.unixPath(direct))
            return
        }
        let directory = try Syscall.open(path, .pathOnlyDirectory, mode: 0)
        // Without /proc there is no such way.
        guard (try? Syscall.status("/proc/self/fd/\(directory.rawValue)")) != nil else {
            throw .fileNameTooLong
        }
        try body(.unixPath("/proc/self/fd/\(directory.rawValue)/\(entry)"))
        _ = directory
    }
}
