// SPDX-License-Identifier: Apache-2.0

import Glibc
import SuccessionSystem
import SuccessionTransport
import SystemPackage
import Testing

extension TransportTests {
    @Suite struct ControlSocketTests {
        private let place: TemporaryRuntimeDirectory
        private var directory: RuntimeDirectory { place.directory }

        init() throws {
            place = try TemporaryRuntimeDirectory()
        }

        private func isAsked(_ endpoint: ControlEndpoint) throws -> Bool {
            try Syscall.poll(
                endpoint.listener.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 0)
        }

        @Test func connect_whenTheNameLeadsToAnotherByNow_reachesTheOneThatWasFound() throws {
            let first = try ControlEndpoint(directory, generation: 1)
            let found = try directory.find(1)
            let second = try ControlEndpoint(directory, generation: 1)
            _ = try found.connect()
            #expect(try isAsked(first))
            #expect(try !isAsked(second))
        }

        /// A user who may write to the directory must not get what is meant for its owner.
        @Test(.enabled(if: geteuid() == 0, "only root can give a directory away"))
        func connect_whenAnotherUserListens_isRefused() throws {
            let endpoint = try ControlEndpoint(directory, generation: 1)
            #expect(chown(place.path, 1, 1) == 0)
            let found = try directory.find(1)
            #expect(found.owner == 1)
            #expect(throws: Errno.notPermitted) { _ = try found.connect() }
            withExtendedLifetime(endpoint) {}
        }

        @Test func findServing_isTheGenerationThatTheLinkNames() throws {
            let endpoint = try ControlEndpoint(directory, generation: 12)
            #expect(throws: Errno.noSuchFileOrDirectory) { _ = try directory.findServing() }
            try directory.publishServing(12)
            #expect(try directory.findServing().generation == 12)
            _ = try directory.connectServing()
            #expect(try isAsked(endpoint))
        }

        @Test(arguments: ["../1.sock", "/tmp/1.sock", "01.sock", "1.sock/", "lock", "0.sock"])
        func findServing_whenTheLinkLeadsElsewhere_isRefused(target: String) throws {
            let endpoint = try ControlEndpoint(directory, generation: 1)
            try Syscall.symbolicLink(to: target, at: directory.servingPath)
            #expect(throws: Errno.invalidArgument) { _ = try directory.findServing() }
            #expect(directory.servingGeneration() == nil)
            withExtendedLifetime(endpoint) {}
        }

        @Test func findServing_whenServingIsNoLink_isRefused() throws {
            try place.makeFile("serving")
            #expect(throws: Errno.invalidArgument) { _ = try directory.findServing() }
        }
    }
}
