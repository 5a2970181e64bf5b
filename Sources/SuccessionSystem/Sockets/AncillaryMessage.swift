// SPDX-License-Identifier: Apache-2.0

import CSuccession
package import SystemPackage

/// Bytes and descriptors in one packet of a Unix socket (SCM_RIGHTS).
///
/// Only for sockets that keep the boundaries of packets, SOCK_SEQPACKET and SOCK_DGRAM: a stream
/// glues what was sent before to the next descriptors, and drops descriptors that come without
/// bytes.
package enum AncillaryMessage {
    /// The most descriptors the kernel takes in one packet.
    package static let maximumDescriptors = Int(CSUCCESSION_MAXIMUM_DESCRIPTORS)

    /// What came in one packet.
    package struct Received: Sendable {
        package var bytes: [UInt8]
        /// Close-on-exec; those that nobody keeps are closed.
        package var descriptors: ReceivedDescriptors
        /// The packet was longer than the room for it, and its end is lost (MSG_TRUNC).
        package var isTruncated: Bool
        /// Not every descriptor arrived (MSG_CTRUNC): the table of open files is full, there was no
        /// room, or a security module refused one.
        ///
        /// What is missing is not known; the only sound answer is to give up the packet.
        package var lostDescriptors: Bool
        /// Who sent the packet, if ``PeerCredentials/enablePassing(_:)`` was called.
        package var sender: PeerCredentials?
    }

    /// Sends one packet, whole or not at all.
    ///
    /// The kernel duplicates the descriptors into the packet; they stay the caller's. EINVAL: no
    /// bytes, which would read as end-of-file, or more than 253 descriptors. EAGAIN: a socket that
    /// does not block is full. EPIPE: the other side is gone; no SIGPIPE is raised. EPERM: it
    /// refuses descriptors. ETOOMANYREFS: too many are on their way already. The corresponding C
    /// function is `sendmsg`.
    package static func send(
        _ bytes: [UInt8], descriptors: [CInt], over socket: CInt
    ) throws(Errno) {
        _ = try Syscall.shim(
            csuccession_send(socket, bytes, bytes.count, descriptors, descriptors.count))
    }

    /// Receives one packet; nil is end-of-file.
    ///
    /// EAGAIN: none is there yet on a socket that does not block. ECONNRESET: the other side closed
    /// without having read all that was sent to it. Whatever is thrown, no descriptor was left
    /// behind. The corresponding C function is `recvmsg`.
    package static func receive(
        from socket: CInt, capacity: Int = 65_536, maximumDescriptors: Int = 253
    ) throws(Errno) -> Received? {
        var ancillary = csuccession_ancillary()
        var result = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: max(0, capacity)) { buffer, count in
            result = csuccession_receive(
                socket, buffer.baseAddress, buffer.count, max(0, maximumDescriptors), &ancillary)
            count = max(0, result)
        }
        _ = try Syscall.shim(result)
        let descriptors = withUnsafeBytes(of: &ancillary.descriptors) { numbers in
            ReceivedDescriptors(
                taking: numbers.bindMemory(to: CInt.self).prefix(ancillary.count))
        }
        let lost = ancillary.lost_descriptors != 0
        if bytes.isEmpty, descriptors.isEmpty, !lost { return nil }
        return Received(
            bytes: bytes, descriptors: descriptors, isTruncated: ancillary.is_truncated != 0,
            lostDescriptors: lost,
            sender: ancillary.has_sender != 0 ? PeerCredentials(ancillary.sender) : nil)
    }
}
