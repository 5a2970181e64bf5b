// SPDX-License-Identifier: Apache-2.0

package import SuccessionProtocol
package import SuccessionSystem
package import SystemPackage

/// Messages over a sequenced-packet socket.
package struct MessageSocket: Sendable {
    package let descriptor: OwnedDescriptor

    package init(_ descriptor: OwnedDescriptor) {
        self.descriptor = descriptor
    }

    /// Sends one packet, whole or not at all.
    ///
    /// The descriptors stay the caller's: the kernel duplicates them into the packet. EPIPE says
    /// that the other side is gone, EAGAIN that a socket that does not block is full.
    package func send(_ message: Message, descriptors: [CInt] = []) throws(Errno) {
        try send(encoded: message.encoded(), descriptors: descriptors)
    }

    /// As ``send(_:descriptors:)``, for a message of a known kind.
    package func send(
        _ message: some WireMessage, descriptors: [CInt] = []
    ) throws(Errno) {
        try send(message.message, descriptors: descriptors)
    }

    /// Sends a packet that was encoded before.
    package func send(encoded packet: [UInt8], descriptors: [CInt]) throws(Errno) {
        try AncillaryMessage.send(packet, descriptors: descriptors, over: descriptor.rawValue)
    }

    /// Receives one packet; nil is end-of-file.
    ///
    /// Whatever came with a packet that is refused here has been closed when this throws.
    package func receive() throws(TransportError) -> Packet? {
        guard let received = try receiveBytes() else { return nil }
        if received.isTruncated { throw .packetTooLarge }
        let message: Message
        do { message = try Message.decode(received.bytes) } catch { throw .message(error) }
        let announced: Int
        do {
            announced = try message.announcedDescriptors()
        } catch {
            throw .message(.malformed(error.description))
        }
        let arrived = received.descriptors.count
        if received.lostDescriptors {
            throw .descriptorsLost(arrived: arrived, announced: announced)
        }
        if arrived != announced {
            throw .descriptorCount(arrived: arrived, announced: announced)
        }
        return Packet(message, descriptors: received.descriptors)
    }

    private func receiveBytes() throws(TransportError) -> AncillaryMessage.Received? {
        var wasReset = false
        while true {
            do {
                return try AncillaryMessage.receive(
                    from: descriptor.rawValue, capacity: Message.maximumPacketSize)
            } catch {
                // A peer that closed with unread packets in its queue is reported once, and ahead
                // of what it had sent: its `abort` must not be taken for its death.
                guard error == .connectionReset, !wasReset else { throw .system(error) }
                wasReset = true
            }
        }
    }

    /// Receives one packet, waiting for it until `deadline` (monotonic nanoseconds); nil is
    /// end-of-file.
    ///
    /// What is there is received, however late it is by now: this process may have been stopped.
    package func receive(deadline: UInt64) throws(TransportError) -> Packet? {
        while true {
            let now = Syscall.monotonicNanoseconds()
            let left = deadline > now ? deadline - now : 0
            // Rounded up: a wait that is cut short by a fraction would spin until the deadline.
            let milliseconds = min(left / 1_000_000 + (left % 1_000_000 > 0 ? 1 : 0), 60_000)
            let isReady: Bool
            do {
                isReady = try Syscall.poll(
                    descriptor.rawValue, events: Syscall.pollIn,
                    timeoutMilliseconds: CInt(milliseconds))
            } catch {
                throw .system(error)
            }
            guard isReady else {
                if left == 0 { throw .timedOut }
                continue
            }
            do {
                return try receive()
            } catch {
                if !error.isWouldBlock { throw error }
            }
        }
    }
}
