// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// Options of a listener that only a bind can set.
public struct BindOptions: Sendable, Hashable {
    /// Length of the queue of connections that wait to be accepted; nil is the system's maximum.
    public var backlog: Int?
    /// Sets SO_REUSEPORT: several sockets may share the address, and each gets a part of the
    /// traffic.
    ///
    /// Off unless asked for: with it a stray second instance gets half of the traffic in place of
    /// an error.
    public var reusesPort: Bool
    /// Permissions of a Unix socket's path.
    public var unixMode: UInt32

    /// Options with the defaults shown.
    public init(backlog: Int? = nil, reusesPort: Bool = false, unixMode: UInt32 = 0o666) {
        self.backlog = backlog
        self.reusesPort = reusesPort
        self.unixMode = unixMode
    }
}

/// Makes bound sockets.
enum Binder {
    struct Bound {
        let descriptor: OwnedDescriptor
        let address: ListenAddress
        let backlog: Int
    }

    /// Binds, and listens where the kind does; a Unix path that a dead server left is removed
    /// first.
    static func bind(
        _ address: ListenAddress, name: String, options: BindOptions
    ) throws(SuccessionError) -> Bound {
        do {
            let socket = try open(address, options: options)
            try bind(socket, address, options: options)
            let backlog = address.mustListen ? options.backlog ?? Syscall.maximumBacklog() : 0
            if address.mustListen { try Syscall.listen(socket.rawValue, backlog: CInt(backlog)) }
            let facts = try SocketFacts.of(socket.rawValue)
            return Bound(
                descriptor: socket, address: ListenAddress(facts: facts), backlog: backlog)
        } catch {
            throw explain(error, address, name)
        }
    }

    private static func open(
        _ address: ListenAddress, options: BindOptions
    ) throws(Errno) -> OwnedDescriptor {
        guard let type = address.kind.row.socketType else { throw .invalidArgument }
        let family = address.socketAddress.socketFamily
        let socket = try Syscall.openSocket(family: family, type: type, nonBlocking: true)
        if address.kind.row.reusesAddress { try Syscall.setReuseAddress(socket.rawValue) }
        if options.reusesPort { try Syscall.setReusePort(socket.rawValue) }
        if case .ipv6 = address.socketAddress {
            try Syscall.setIPv6Only(socket.rawValue, !address.isDualStack)
        }
        return socket
    }

    private static func bind(
        _ socket: OwnedDescriptor, _ address: ListenAddress, options: BindOptions
    ) throws(Errno) {
        guard case .unixPath(let path) = address.socketAddress else {
            try Syscall.bind(socket.rawValue, to: address.socketAddress)
            return
        }
        // The mode of the socket becomes the mode of the path: there is no moment with another one,
        // and no path that somebody could have put a link in the place of meanwhile.
        try Syscall.setMode(socket.rawValue, options.unixMode)
        do {
            try Syscall.bindWithoutMask(socket.rawValue, to: address.socketAddress)
        } catch {
            guard error == .addressInUse, isLeftByTheDead(address, path: path) else { throw error }
            try Syscall.unlink(path)
            try Syscall.bindWithoutMask(socket.rawValue, to: address.socketAddress)
        }
    }

    /// A socket file on which connect(2) is refused: its server is gone.
    ///
    /// The service lock is held, so no other generation of this service is between bind and listen.
    private static func isLeftByTheDead(_ address: ListenAddress, path: String) -> Bool {
        guard let facts = try? Syscall.linkStatus(path), facts.isSocket,
            let type = address.kind.row.socketType
        else { return false }
        guard let probe = try? Syscall.openSocket(family: .unix, type: type, nonBlocking: true)
        else {
            return false
        }
        do {
            try Syscall.connect(probe.rawValue, to: address.socketAddress)
            return false
        } catch {
            return error == .connectionRefused
        }
    }

    /// What is at a path and is no socket.
    private static func obstacle(at address: ListenAddress) -> String? {
        guard case .unixPath(let path) = address.socketAddress,
            let facts = try? Syscall.linkStatus(path), !facts.isSocket
        else { return nil }
        let kind =
            facts.isRegularFile
            ? "a regular file"
            : facts.isDirectory
                ? "a directory" : facts.isSymbolicLink ? "a symbolic link" : "no socket"
        return
            "there is \(kind) at \(path), which is never removed: move it away, or choose another path"
    }

    private static func explain(
        _ errno: Errno, _ address: ListenAddress, _ name: String
    ) -> SuccessionError {
        let what = "cannot listen on \(address) for '\(name)'"
        switch errno {
        case .addressInUse:
            let hint =
                obstacle(at: address)
                ?? "another process or socket unit has it (ss -lnp tells which)"
            return SuccessionError(.addressInUse, "\(what): \(hint)", cause: errno)
        case .permissionDenied:
            let hint: String
            switch address.socketAddress {
            case .ipv4(_, let port) where port < 1024, .ipv6(_, let port, _) where port < 1024:
                hint = "ports below 1024 need CAP_NET_BIND_SERVICE or a socket unit"
            case .unixPath: hint = "the directory cannot be written"
            default: hint = "the system does not allow it"
            }
            return SuccessionError(.permissionDenied, "\(what): \(hint)", cause: errno)
        default:
            return .system(what, errno)
        }
    }
}
