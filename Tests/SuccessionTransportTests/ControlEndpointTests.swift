// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import SystemPackage
import Testing

extension TransportTests {
    @Suite struct ControlEndpointTests {
        private let place: TemporaryRuntimeDirectory
        private var directory: RuntimeDirectory { place.directory }

        init() throws {
            place = try TemporaryRuntimeDirectory()
        }

        @Test func endpoint_isASocketOfItsOwnerAlone() throws {
            let endpoint = try ControlEndpoint(directory, generation: 7)
            #expect(try place.entries() == ["7.sock"])
            let facts = try Syscall.linkStatus(directory.controlPath(7))
            #expect(facts.isSocket)
            #expect(facts.mode & 0o7777 == 0o600)
            #expect(directory.generations() == [7])
            #expect(directory.listenerProcess(7) == ProcessEnvironment.processID)
            withExtendedLifetime(endpoint) {}
        }

        @Test func connect_reachesTheEndpoint() throws {
            let endpoint = try ControlEndpoint(directory, generation: 1)
            let client = try directory.connect(1)
            let (accepted, _) = try Syscall.accept(endpoint.listener.rawValue)
            try client.send(Message(.status))
            #expect(try MessageSocket(accepted).receive()?.message.kind == .status)
        }

        /// A socket address has 108 bytes.
        @Test func connect_whenThePathIsTooLongForAnAddress_reachesTheEndpoint() throws {
            let long = try TemporaryRuntimeDirectory(
                "succession-\(UInt32.random(in: 0 ... .max))-" + String(repeating: "x", count: 120))
            let endpoint = try ControlEndpoint(long.directory, generation: 1)
            #expect(try long.entries() == ["1.sock"])
            _ = try long.directory.connect(1)
            #expect(
                try Syscall.poll(
                    endpoint.listener.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 0))
        }

        @Test func remove_whenTheNameIsItsOwn_removesIt() throws {
            try ControlEndpoint(directory, generation: 1).remove()
            #expect(try place.entries() == [])
        }

        @Test func remove_whenALaterEndpointHasTheName_leavesIt() throws {
            let first = try ControlEndpoint(directory, generation: 1)
            let second = try ControlEndpoint(directory, generation: 1)
            first.remove()
            #expect(try place.entries() == ["1.sock"])
            second.remove()
            #expect(try place.entries() == [])
        }

        /// A process of the same number was killed between the bind and the rename.
        @Test func endpoint_whenItsTemporaryNameIsLeft_replacesIt() throws {
            try place.makeStaleSocket(".1.\(ProcessEnvironment.processID)")
            let endpoint = try ControlEndpoint(directory, generation: 1)
            #expect(try place.entries() == ["1.sock"])
            #expect(directory.isLiving(1))
            withExtendedLifetime(endpoint) {}
        }

        @Test func removeStale_removesWhatNobodyListensOn() throws {
            let endpoint = try ControlEndpoint(directory, generation: 2)
            try place.makeStaleSocket("1.sock")
            #expect(!directory.isLiving(1))
            #expect(directory.isLiving(2))
            #expect(throws: Errno.connectionRefused) { _ = try directory.connect(1) }
            #expect(directory.removeStale() == [2])
            #expect(try place.entries() == ["2.sock"])
            #expect(throws: Errno.noSuchFileOrDirectory) { _ = try directory.connect(1) }
            withExtendedLifetime(endpoint) {}
        }

        /// A server that hangs lets nobody in, and lives all the same.
        @Test func endpoint_whoseQueueIsFull_isNotStale() throws {
            let endpoint = try ControlEndpoint(directory, generation: 1)
            var waiting: [MessageSocket] = []
            let full = #expect(throws: Errno.self) {
                while waiting.count < 10_000 {
                    waiting.append(try directory.find(1).connect(isPatient: false))
                }
            }
            #expect(full == .resourceTemporarilyUnavailable)
            #expect(directory.isLiving(1))
            #expect(!directory.removeIfStale(1))
            #expect(try place.entries() == ["1.sock"])
            withExtendedLifetime(endpoint) {}
        }

        @Test func fileInThePlaceOfASocket_isNeitherUsedNorRemoved() throws {
            try place.makeFile("1.sock")
            #expect(throws: Errno.notSocket) { _ = try directory.connect(1) }
            #expect(!directory.removeIfStale(1))
            #expect(try place.entries() == ["1.sock"])
        }

        @Test func linkInThePlaceOfASocket_isNeitherFollowedNorRemoved() throws {
            let other = try TemporaryRuntimeDirectory()
            let endpoint = try ControlEndpoint(other.directory, generation: 1)
            try Syscall.symbolicLink(
                to: other.directory.controlPath(1), at: directory.controlPath(1))
            #expect(throws: Errno.notSocket) { _ = try directory.connect(1) }
            #expect(!directory.removeIfStale(1))
            #expect(directory.listenerProcess(1) == nil)
            #expect(try place.entries() == ["1.sock"])
            #expect(
                try !Syscall.poll(
                    endpoint.listener.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 0))
        }
    }
}
