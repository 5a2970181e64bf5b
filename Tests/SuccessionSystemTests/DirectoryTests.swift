// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import SystemPackage
import Testing

@Suite struct DirectoryTests {
    private final class Place {
        let path = NSTemporaryDirectory() + "/directory-\(UInt32.random(in: 0 ... .max))"

        init() throws {
            try FileManager.default.createDirectory(
                atPath: path + "/inside", withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private func write(_ directory: Directory, _ name: String, _ text: String) throws {
        let file = try directory.open(name, [.writeOnly, .create, .exclusive], mode: 0o600)
        try Syscall.writeAll(file.rawValue, Array(text.utf8))
    }

    @Test func names_whenMovedAway_areStillThoseOfTheDirectory() throws {
        let place = try Place()
        let inside = try Directory(place.path).directory("inside")
        try Syscall.rename(place.path + "/inside", place.path + "/moved")
        try Syscall.symbolicLink(to: "/etc", at: place.path + "/inside")
        try write(inside, "a", "x")
        #expect(try inside.names() == ["a"])
        #expect(FileManager.default.fileExists(atPath: place.path + "/moved/a"))
        #expect(try inside.parent().names().sorted() == ["inside", "moved"])
    }

    @Test func link_isNotFollowed() throws {
        let place = try Place()
        let directory = try Directory(place.path)
        try write(directory, "file", "x")
        try directory.symbolicLink("link", to: "file")
        try directory.symbolicLink("to-inside", to: "inside")
        #expect(throws: Errno.tooManySymbolicLinkLevels) {
            try directory.open("link", .readOnly)
        }
        #expect(throws: Errno.tooManySymbolicLinkLevels) {
            try directory.open("link", [.writeOnly, .create, .append], mode: 0o600)
        }
        #expect(throws: Errno.notDirectory) { try directory.directory("to-inside") }
        #expect(try directory.facts("link").isSymbolicLink)
        #expect(try directory.readLink("link") == "file")
    }

    @Test(arguments: ["", ".", "..", "a/b", "/etc", "inside/", "a\0b"])
    func name_thatIsAPath_isRefused(name: String) throws {
        let place = try Place()
        let directory = try Directory(place.path)
        try write(directory, "a", "x")
        #expect(throws: Errno.invalidArgument) { try directory.facts(name) }
        #expect(throws: Errno.invalidArgument) {
            try directory.open(name, [.writeOnly, .create], mode: 0o600)
        }
        #expect(throws: Errno.invalidArgument) { try directory.directory(name) }
        #expect(throws: Errno.invalidArgument) { try directory.unlink(name) }
        #expect(throws: Errno.invalidArgument) { try directory.rename("a", to: name) }
        #expect(throws: Errno.invalidArgument) { try directory.rename(name, to: "a") }
        #expect(throws: Errno.invalidArgument) { try directory.symbolicLink(name, to: "a") }
    }

    @Test func names_areMovedExchangedAndRemoved() throws {
        let place = try Place()
        let directory = try Directory(place.path)
        let inside = try directory.directory("inside")
        try write(directory, "a", "a")
        try write(directory, "b", "b")
        try directory.exchange("a", "b")
        #expect(try Syscall.readFile(place.path + "/a") == Array("b".utf8))
        #expect(throws: Errno.fileExists) { try directory.renameToNew("a", "b") }
        try directory.rename("a", to: "c", in: inside)
        #expect(try inside.names() == ["c"])
        #expect(throws: Errno.self) { try directory.removeDirectory("inside") }
        try inside.unlink("c")
        try directory.removeDirectory("inside")
        try directory.makeDirectory("new", mode: 0o700)
        try directory.synchronize()
        #expect(try directory.names().sorted() == ["b", "new"])
    }
}
