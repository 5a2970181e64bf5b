// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SuccessionTransport
import SystemPackage
import Testing

extension TransportTests {
    @Suite struct RuntimeDirectoryTests {
        @Test func publish_whenAProcessOfThisNumberWasKilledInBetween_pointsServing() throws {
            let place = try TemporaryRuntimeDirectory()
            let directory = place.directory
            let left = place.path + "/.serving.\(ProcessEnvironment.processID)"
            try Syscall.symbolicLink(to: "1.sock", at: left)

            try directory.publishServing(2)
            #expect(directory.servingGeneration() == 2)
            #expect(try place.entries() == ["serving"])
            try directory.publishServing(3)
            #expect(directory.servingGeneration() == 3)
        }

        @Test func prepare_makesADirectoryOfItsOwnerAlone() throws {
            let place = try TemporaryRuntimeDirectory()
            let facts = try Syscall.status(place.path)
            #expect(facts.isDirectory && facts.mode & 0o7777 == 0o700)
            try place.directory.prepare()
        }

        @Test(arguments: [0o770, 0o722, 0o777] as [UInt32])
        func prepare_whenOthersCanWrite_isRefused(mode: UInt32) throws {
            let place = try TemporaryRuntimeDirectory()
            try Syscall.changeMode(place.path, mode)
            #expect(throws: Errno.notPermitted) { try place.directory.prepare() }
        }

        @Test func prepare_whenAFileIsThere_isRefused() throws {
            let place = try TemporaryRuntimeDirectory()
            try place.makeFile("file")
            #expect(throws: Errno.notDirectory) {
                try RuntimeDirectory(path: place.path + "/file").prepare()
            }
        }

        @Test func lock_isHeldByOneAtATime() throws {
            let place = try TemporaryRuntimeDirectory()
            do {
                let lock = try #require(try place.directory.takeLock())
                #expect(try place.directory.takeLock() == nil)
                withExtendedLifetime(lock) {}
            }
            #expect(try place.directory.takeLock() != nil)
        }

        @Test func generations_areTheNamesThatAGenerationWrites() throws {
            let place = try TemporaryRuntimeDirectory()
            for name in ["10.sock", "9.sock", "1.sock", "01.sock", "x.sock", ".2.5", "3.socket"] {
                try place.makeFile(name)
            }
            #expect(place.directory.generations() == [1, 9, 10])
        }

        @Test(arguments: [
            ("1.sock", 1), ("999999999999999.sock", 999_999_999_999_999),
            ("1000000000000000.sock", nil), ("0.sock", nil), ("01.sock", nil), ("+1.sock", nil),
            ("-1.sock", nil), (" 1.sock", nil), ("1.sock ", nil), (".sock", nil), ("1", nil),
            ("serving", nil), ("99999999999999999999.sock", nil),
        ])
        func socketName_otherThanAGenerationWritesIt_isNone(name: String, generation: Int?) {
            #expect(RuntimeDirectory.generation(ofSocket: name) == generation)
        }

        @Test(arguments: [
            ("web", true), ("web@1", true), ("a.b-c_d", true),
            (String(repeating: "a", count: 100), true), (String(repeating: "a", count: 101), false),
            ("", false), (".", false), ("..", false), (".web", false), ("-web", false),
            ("a/b", false), ("a b", false), ("a\nb", false), ("a\u{7F}", false), ("wéb", false),
        ])
        func serviceName_isADirectoryAndAColumn(name: String, isValid: Bool) {
            #expect(RuntimeDirectory.isValidServiceName(name) == isValid)
        }

        @Test func locate_withAnExplicitPath_isThat() {
            let found = RuntimeDirectory.locate(service: "web", explicit: "/somewhere")
            #expect(found?.path == "/somewhere")
            #expect(!RuntimeDirectory.isOfTheSystem("systemd", explicit: "/somewhere"))
        }
    }
}
