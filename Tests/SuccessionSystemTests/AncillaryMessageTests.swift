// SPDX-License-Identifier: Apache-2.0

import Glibc
import SuccessionSystem
import SystemPackage
import Testing

extension SystemTests {
    @Suite struct AncillaryMessageTests {
        let here: OwnedDescriptor
        let there: OwnedDescriptor

        init() throws {
            (here, there) = try Syscall.socketPair(type: .sequencedPacket, nonBlocking: true)
        }

        private func receive(
            capacity: Int = 65_536, maximumDescriptors: Int = 253
        ) throws -> AncillaryMessage.Received {
            try #require(
                try AncillaryMessage.receive(
                    from: there.rawValue, capacity: capacity,
                    maximumDescriptors: maximumDescriptors))
        }

        private func send(_ count: Int, of file: OwnedDescriptor) throws {
            try AncillaryMessage.send(
                [1, 2, 3], descriptors: [CInt](repeating: file.rawValue, count: count),
                over: here.rawValue)
        }

        @Test(arguments: [0, 1, 250, 253])
        func send_whenCountIsAllowed_everyDescriptorArrives(count: Int) throws {
            let file = try MemoryFile.create(name: "sent", allowSealing: false)
            let identity = try Syscall.status(of: file.rawValue).identity
            try send(count, of: file)
            do {
                let received = try receive()
                #expect(received.bytes == [1, 2, 3])
                #expect(received.descriptors.count == count)
                #expect(!received.isTruncated && !received.lostDescriptors)
                #expect(received.sender == nil)
                for descriptor in received.descriptors {
                    #expect(try Syscall.status(of: descriptor.rawValue).identity == identity)
                    #expect(try Syscall.isCloseOnExec(descriptor.rawValue))
                }
                #expect(try openDescriptors(like: file) == count + 1)
                withExtendedLifetime(received) {}
            }
            #expect(try openDescriptors(like: file) == 1)
        }

        @Test func receive_whenDescriptorsDiffer_theOrderIsKept() throws {
            let files = try (0..<5).map {
                try MemoryFile.create(name: "\($0)", allowSealing: false)
            }
            try AncillaryMessage.send(
                [0], descriptors: files.map(\.rawValue), over: here.rawValue)
            let received = try receive()
            let sent = try files.map { try Syscall.status(of: $0.rawValue).identity }
            let arrived = try received.descriptors.map {
                try Syscall.status(of: $0.rawValue).identity
            }
            #expect(arrived == sent)
        }

        @Test(arguments: [254, 1_000])
        func send_whenTooMany_throwsInvalidArgument(count: Int) throws {
            #expect(throws: Errno.invalidArgument) { try send(count, of: here) }
        }

        @Test func send_whenThereAreNoBytes_throwsInvalidArgument() throws {
            #expect(throws: Errno.invalidArgument) {
                try AncillaryMessage.send([], descriptors: [], over: here.rawValue)
            }
        }

        @Test func send_whenDescriptorIsNotOpen_throwsBadFileDescriptor() throws {
            #expect(throws: Errno.badFileDescriptor) {
                try AncillaryMessage.send([0], descriptors: [1_000_000], over: here.rawValue)
            }
        }

        @Test func send_whenPeerIsGone_throwsBrokenPipeAndRaisesNoSignal() throws {
            there.close()
            #expect(throws: Errno.brokenPipe) { try send(0, of: here) }
        }

        @Test func receive_whenPeerIsGone_isNil() throws {
            here.close()
            #expect(try AncillaryMessage.receive(from: there.rawValue) == nil)
        }

        @Test func receive_whenNothingIsThere_throwsWouldBlock() throws {
            #expect(throws: Errno.wouldBlock) {
                try AncillaryMessage.receive(from: there.rawValue)
            }
        }

        @Test func receive_whenPacketIsLonger_saysSoAndKeepsTheDescriptors() throws {
            try send(2, of: here)
            let received = try receive(capacity: 2)
            #expect(received.bytes == [1, 2])
            #expect(received.isTruncated && !received.lostDescriptors)
            #expect(received.descriptors.count == 2)
            #expect(throws: Errno.wouldBlock) {
                try AncillaryMessage.receive(from: there.rawValue)
            }
        }

        @Test(arguments: [(1, 0), (10, 0), (10, 4), (253, 252), (2, 1)])
        func receive_whenThereIsLessRoom_closesTheRest(sent: Int, room: Int) throws {
            let file = try MemoryFile.create(name: "sent", allowSealing: false)
            try send(sent, of: file)
            do {
                let received = try receive(maximumDescriptors: room)
                #expect(received.descriptors.count == room)
                #expect(received.lostDescriptors)
                #expect(received.bytes == [1, 2, 3])
                #expect(try openDescriptors(like: file) == room + 1)
                withExtendedLifetime(received) {}
            }
            #expect(try openDescriptors(like: file) == 1)
        }

        @Test func receive_whenTableIsFull_saysSoAndLeavesNothingBehind() throws {
            let file = try MemoryFile.create(name: "sent", allowSealing: false)
            try send(10, of: file)
            do {
                let received = try withFreeDescriptors(4) { try receive() }
                #expect(received.lostDescriptors)
                #expect(received.descriptors.count == 4)
                #expect(try openDescriptors(like: file) == 5)
                withExtendedLifetime(received) {}
            }
            #expect(try openDescriptors(like: file) == 1)
            try send(10, of: file)
            #expect(try receive().descriptors.count == 10)
        }

        @Test func receive_whenPassingIsEnabled_namesTheSender() throws {
            try PeerCredentials.enablePassing(there.rawValue)
            try send(253, of: here)
            let received = try receive()
            #expect(received.descriptors.count == 253 && !received.lostDescriptors)
            let own = PeerCredentials(
                processID: ProcessEnvironment.processID,
                userID: ProcessEnvironment.effectiveUserID, groupID: getegid())
            #expect(received.sender == own)
            #expect(try PeerCredentials.of(here.rawValue) == own)
        }

        @Test func refuseDescriptors_whenKernelCan_theSenderIsNotPermitted() throws {
            guard PeerCredentials.refuseDescriptors(there.rawValue) else { return }
            #expect(throws: Errno.notPermitted) { try send(1, of: here) }
            try send(0, of: here)
            #expect(try receive().bytes == [1, 2, 3])
        }
    }
}

/// Has this process have room for `count` more descriptors during a call, and no more.
private func withFreeDescriptors<Result>(_ count: Int, _ body: () throws -> Result) throws -> Result
{
    var old = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &old)
    defer { setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &old) }
    // The kernel gives out the lowest free number first.
    var free: [OwnedDescriptor] = []
    for _ in 0..<count { free.append(try OwnedDescriptor.duplicating(0)) }
    let highest = free.map(\.rawValue).max() ?? 0
    free = []
    var limit = old
    limit.rlim_cur = rlim_t(highest + 1)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return try body()
}
