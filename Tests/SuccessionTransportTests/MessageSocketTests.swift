// SPDX-License-Identifier: Apache-2.0

import Glibc
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import SystemPackage
import Testing

extension TransportTests {
    @Suite struct MessageSocketTests {
        private let here: MessageSocket
        private let there: MessageSocket
        private let file: OwnedDescriptor

        init() throws {
            let pair = try Syscall.socketPair(type: .sequencedPacket, nonBlocking: true)
            here = MessageSocket(pair.0)
            there = MessageSocket(pair.1)
            file = try MemoryFile.create(name: "sent", allowSealing: false)
        }

        private func send(_ text: String, descriptors count: Int = 0) throws {
            try here.send(
                encoded: Array(text.utf8),
                descriptors: [CInt](repeating: file.rawValue, count: count))
        }

        /// The error of the next receive; fails the test if there is a packet.
        private func failure(_ receive: (MessageSocket) throws -> Packet?) throws -> TransportError
        {
            try #require(#expect(throws: TransportError.self) { _ = try receive(there) })
        }

        @Test func send_whenDescriptorsAreAnnounced_bothArrive() throws {
            try send("SUCCESSION/1 offer\nFDS=2\n", descriptors: 2)
            let packet = try #require(try there.receive())
            #expect(packet.message.kind == .offer)
            #expect(packet.message.encoded() == Array("SUCCESSION/1 offer\nFDS=2\n".utf8))
            let identity = try Syscall.status(of: file.rawValue).identity
            #expect(packet.descriptors.count == 2)
            for descriptor in packet.descriptors {
                #expect(try Syscall.status(of: descriptor.rawValue).identity == identity)
                #expect(try Syscall.isCloseOnExec(descriptor.rawValue))
            }
            #expect(try openDescriptors(like: file) == 3)
        }

        @Test func descriptors_thatAreNotTaken_areClosedWithTheirPacket() throws {
            try send("SUCCESSION/1 offer\nFDS=3\n", descriptors: 3)
            var taken: OwnedDescriptor?
            do {
                let packet = try #require(try there.receive())
                taken = packet.descriptors[1]
                #expect(try openDescriptors(like: file) == 4)
            }
            #expect(try openDescriptors(like: file) == 2)
            withExtendedLifetime(taken) {}
        }

        @Test(arguments: [
            (announced: 1, sent: 0), (announced: 0, sent: 1), (announced: 3, sent: 2),
        ])
        func receive_whenTheCountIsAnother_refusesAndClosesAll(
            counts: (announced: Int, sent: Int)
        ) throws {
            try send("SUCCESSION/1 offer\nFDS=\(counts.announced)\n", descriptors: counts.sent)
            let error = try failure { try $0.receive() }
            guard case .descriptorCount(let arrived, let announced) = error else {
                throw Unexpected()
            }
            #expect((arrived, announced) == (counts.sent, counts.announced))
            #expect(try openDescriptors(like: file) == 1)
        }

        /// The kernel then delivers the packet without the descriptors.
        @Test func receive_whenTheTableIsFull_saysThatDescriptorsAreLost() throws {
            try send("SUCCESSION/1 offer\nFDS=1\n", descriptors: 1)
            var before = rlimit()
            getrlimit(__rlimit_resource_t(7 /* RLIMIT_NOFILE */), &before)
            let lowest = dup(file.rawValue)
            close(lowest)
            try ResourceLimit.setOpenFiles(Int(lowest))
            defer { setrlimit(__rlimit_resource_t(7), &before) }
            let error = try failure { try $0.receive() }
            guard case .descriptorsLost(0, announced: 1) = error else { throw Unexpected() }
            #expect(error.failureCode == .descriptor)
        }

        @Test func receive_whenThePacketIsAsLongAsAllowed_isWhole() throws {
            let head = "SUCCESSION/1 state\n\n"
            let body = String(repeating: "x", count: Message.maximumPacketSize - head.utf8.count)
            try send(head + body)
            #expect(try there.receive()?.message.body.count == body.utf8.count)
        }

        @Test func receive_whenThePacketIsLonger_refusesAndClosesAll() throws {
            let head = "SUCCESSION/1 state\nFDS=1\n\n"
            let body = String(
                repeating: "x", count: Message.maximumPacketSize - head.utf8.count + 1)
            try send(head + body, descriptors: 1)
            let error = try failure { try $0.receive() }
            guard case .packetTooLarge = error else { throw Unexpected() }
            #expect(try openDescriptors(like: file) == 1)
            // The rest of it is gone: the next packet is the next one that was sent.
            try send("SUCCESSION/1 ready\n")
            #expect(try there.receive()?.message.kind == .ready)
        }

        @Test(arguments: [
            "no message", "SUCCESSION/1\n", "SUCCESSION/1 offer\nFDS=x\n",
            "SUCCESSION/1 offer\nFDS=254\n", "SUCCESSION/1 offer\nFDS=-1\n",
        ])
        func receive_whenItIsNoMessage_refusesAndClosesAll(text: String) throws {
            try send(text, descriptors: 1)
            let error = try failure { try $0.receive() }
            guard case .message(.malformed) = error else { throw Unexpected() }
            #expect(error.failureCode == .malformed)
            #expect(try openDescriptors(like: file) == 1)
        }

        @Test func receive_whenNothingIsThere_wouldBlock() throws {
            #expect(try failure { try $0.receive() }.isWouldBlock)
        }

        @Test func receive_whenThePeerIsGone_isEndOfFile() throws {
            try send("SUCCESSION/1 ready\n")
            here.descriptor.close()
            #expect(try there.receive()?.message.kind == .ready)
            let end = try there.receive()
            #expect(end == nil)
        }

        @Test func send_whenThePeerIsGone_isABrokenPipe() throws {
            here.descriptor.close()
            #expect(throws: Errno.brokenPipe) { try there.send(Message(.ready)) }
        }

        /// The kernel reports ECONNRESET before the packets that the peer had sent.
        @Test func receive_whenThePeerClosedWithUnreadPackets_getsWhatItHadSent() throws {
            try there.send(Message(.hello))
            try send("SUCCESSION/1 abort\n")
            here.descriptor.close()
            #expect(try there.receive()?.message.kind == .abort)
            let end = try there.receive()
            #expect(end == nil)
        }

        @Test func receive_untilADeadline_timesOut() throws {
            let start = Syscall.monotonicNanoseconds()
            let error = try failure { try $0.receive(deadline: start + 20_000_000) }
            guard case .timedOut = error else { throw Unexpected() }
            #expect(Syscall.monotonicNanoseconds() >= start + 20_000_000)
        }

        /// The process may have been stopped until long after the deadline.
        @Test func receive_whenThePacketIsThereAndTheDeadlineOver_getsIt() throws {
            try send("SUCCESSION/1 ready\n")
            #expect(try there.receive(deadline: 1)?.message.kind == .ready)
        }
    }

    /// Another error than the one that is tested for.
    struct Unexpected: Error {}
}
