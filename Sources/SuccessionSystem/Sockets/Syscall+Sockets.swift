// SPDX-License-Identifier: Apache-2.0

import CSuccession
import Glibc
package import SystemPackage

/// How a socket delivers what is sent.
package enum SocketType: Sendable, Hashable {
    case stream, datagram, sequencedPacket

    var rawValue: CInt {
        switch self {
        case .stream: CInt(SOCK_STREAM.rawValue)
        case .datagram: CInt(SOCK_DGRAM.rawValue)
        case .sequencedPacket: CInt(SOCK_SEQPACKET.rawValue)
        }
    }

    init?(rawValue: CInt) {
        let known = [SocketType.stream, .datagram, .sequencedPacket]
        guard let type = known.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = type
    }
}

extension Syscall {
    /// Makes a socket.
    ///
    /// The corresponding C function is `socket`.
    package static func openSocket(
        family: SocketFamily, type: SocketType, nonBlocking: Bool
    ) throws(Errno) -> OwnedDescriptor {
        let flags = type.rawValue | socketFlags(nonBlocking)
        return OwnedDescriptor(taking: try check(socket(family.rawValue, flags, 0)))
    }

    /// Makes a socket of a family given by number.
    ///
    /// The corresponding C function is `socket`.
    package static func openSocket(
        family: CInt, type: SocketType, nonBlocking: Bool
    ) throws(Errno) -> OwnedDescriptor {
        try openSocket(
            family: SocketFamily(rawValue: family), type: type, nonBlocking: nonBlocking)
    }

    /// Makes two Unix sockets that are connected to each other.
    ///
    /// The corresponding C function is `socketpair`.
    package static func socketPair(
        type: SocketType, nonBlocking: Bool
    ) throws(Errno) -> (OwnedDescriptor, OwnedDescriptor) {
        var pair: [CInt] = [-1, -1]
        _ = try check(socketpair(AF_UNIX, type.rawValue | socketFlags(nonBlocking), 0, &pair))
        return (OwnedDescriptor(taking: pair[0]), OwnedDescriptor(taking: pair[1]))
    }

    private static func socketFlags(_ nonBlocking: Bool) -> CInt {
        let flags = SOCK_CLOEXEC.rawValue | (nonBlocking ? SOCK_NONBLOCK.rawValue : 0)
        return CInt(flags)
    }

    /// Gives a socket its address.
    ///
    /// The corresponding C function is `bind`.
    package static func bind(_ fd: CInt, to address: SocketAddress) throws(Errno) {
        try address.withSockaddr { (pointer, length) throws(Errno) in
            _ = try check(Glibc.bind(fd, pointer, length))
        }
    }

    /// Gives a Unix socket a path whose mode is the socket's, whatever this process's umask(2).
    ///
    /// The umask is the process's and cannot be set for one call, and chmod(2) afterwards would
    /// follow a link that has been put there meanwhile. So the call is made by a process that shares
    /// everything but that, and lives for the length of it. EAGAIN: there can be no other process.
    /// The corresponding C functions are `clone`, `umask` and `bind`.
    package static func bindWithoutMask(_ fd: CInt, to address: SocketAddress) throws(Errno) {
        try address.withSockaddr { (pointer, length) throws(Errno) in
            _ = try shim(csuccession_bind_unmasked(fd, pointer, length))
        }
    }

    /// Has a socket take connections, up to `backlog` of them before they are accepted.
    ///
    /// Called again it changes the backlog, for every process that holds the socket. The
    /// corresponding C function is `listen`.
    package static func listen(_ fd: CInt, backlog: CInt) throws(Errno) {
        _ = try check(Glibc.listen(fd, backlog))
    }

    /// Connects; EINPROGRESS is thrown by a socket that does not block and goes on connecting.
    ///
    /// A signal does not end the wait. The corresponding C function is `connect`.
    package static func connect(_ fd: CInt, to address: SocketAddress) throws(Errno) {
        do {
            try address.withSockaddr { (pointer, length) throws(Errno) in
                _ = try check(Glibc.connect(fd, pointer, length))
            }
        } catch {
            if error != .interrupted { throw error }
            // The attempt goes on; a second connect(2) would be EALREADY.
            _ = try poll(fd, events: pollOut, timeoutMilliseconds: -1)
            let result = Errno(rawValue: try option(fd, level: SOL_SOCKET, name: SO_ERROR))
            if result.rawValue != 0 { throw result }
        }
    }

    /// Takes the next connection, non-blocking, and the address of its other end.
    ///
    /// EAGAIN: the queue is empty and the listener does not block. ECONNABORTED: the connection was
    /// reset while it waited; the next may be good. The corresponding C function is `accept4`.
    package static func accept(_ fd: CInt) throws(Errno) -> (OwnedDescriptor, SocketAddress) {
        var connection: OwnedDescriptor?
        let peer = try SocketAddress.read { (pointer, length) throws(Errno) in
            connection = try owned(csuccession_accept(fd, pointer, length))
        }
        guard let connection else { throw .badFileDescriptor }
        return (connection, peer)
    }

    /// The address a socket is bound to.
    ///
    /// The corresponding C function is `getsockname`.
    package static func localAddress(_ fd: CInt) throws(Errno) -> SocketAddress {
        try SocketAddress.read { (pointer, length) throws(Errno) in
            _ = try check(getsockname(fd, pointer, length))
        }
    }

    /// The address a socket is connected to.
    ///
    /// The corresponding C function is `getpeername`.
    package static func peerAddress(_ fd: CInt) throws(Errno) -> SocketAddress {
        try SocketAddress.read { (pointer, length) throws(Errno) in
            _ = try check(getpeername(fd, pointer, length))
        }
    }

    /// Ends a connection for every process that holds it; one that is not connected is no error.
    ///
    /// Never for a listener: its other holders could not accept any more. The corresponding C
    /// function is `shutdown`.
    package static func shutdown(_ fd: CInt, _ direction: ShutdownDirection = .both) {
        _ = Glibc.shutdown(fd, direction.rawValue)
    }

    /// How many bytes have come that nobody has read.
    ///
    /// The corresponding C function is `ioctl` with FIONREAD.
    package static func unread(_ fd: CInt) throws(Errno) -> Int {
        Int(try shim(csuccession_unread(fd)))
    }

    /// Sends bytes on a connection and returns how many were taken; a closed connection raises no
    /// SIGPIPE.
    ///
    /// The corresponding C function is `send` with MSG_NOSIGNAL.
    package static func send(_ fd: CInt, _ bytes: [UInt8]) throws(Errno) -> Int {
        try retrying { Glibc.send(fd, bytes, bytes.count, CInt(MSG_NOSIGNAL)) }
    }
}

/// Which half of a connection ends.
package enum ShutdownDirection: Sendable {
    case receiving, sending, both

    var rawValue: CInt {
        switch self {
        case .receiving: CInt(SHUT_RD)
        case .sending: CInt(SHUT_WR)
        case .both: CInt(SHUT_RDWR)
        }
    }
}
