// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A connected socket whose every wait has a deadline; closed when the last reference goes.
final class Socket {
    private let descriptor: Int32

    /// Connects within the time-out; a datagram socket only fixes its peer.
    ///
    /// The socket stays blocking: a non-blocking connect to a Unix socket fails at once when the
    /// queue is full, where a real client waits.
    init(connectingTo target: Target, timeout: Int64) throws(Failure) {
        let type = target.type | Int32(SOCK_CLOEXEC.rawValue)
        descriptor = socket(target.family, type, 0)
        guard descriptor >= 0 else { throw Failure(errno: errno, during: "socket") }
        var limit = timeval(
            tv_sec: Int(timeout / 1_000_000_000), tv_usec: Int(timeout % 1_000_000_000 / 1_000))
        setsockopt(
            descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let result = target.address.withUnsafeBytes { bytes in
            // Sound: `address` holds a complete sockaddr of this family, and connect copies it.
            bytes.withMemoryRebound(to: sockaddr.self) { pointer in
                connect(descriptor, pointer.baseAddress, socklen_t(bytes.count))
            }
        }
        // A blocking connect that a signal breaks off cannot be repeated; workers block signals.
        guard result == 0 else { throw Failure(errno: errno, during: "connect") }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Sends all the bytes; the send time-out of the socket bounds each wait.
    func send(_ bytes: [UInt8]) throws(Failure) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(
                    descriptor, buffer.baseAddress?.advanced(by: sent), buffer.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            guard count >= 0 else { throw Failure(errno: errno, during: "send") }
            sent += count
        }
    }

    /// Fills part of the buffer and returns how much; 0 is end-of-file (or an empty datagram).
    func receive(into buffer: inout [UInt8], deadline: MonotonicTime) throws(Failure) -> Int {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let ready = poll(&request, 1, deadline.pollTimeout)
        guard ready >= 0 else { throw Failure(errno: errno, during: "poll") }
        guard ready > 0 else { throw Failure(.timeout, "no data before the deadline") }
        let count = buffer.withUnsafeMutableBytes { space in
            recv(descriptor, space.baseAddress, space.count, Int32(MSG_DONTWAIT))
        }
        guard count >= 0 else { throw Failure(errno: errno, during: "recv") }
        return count
    }
}
