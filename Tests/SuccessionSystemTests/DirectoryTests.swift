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

/// These need root, which alone may take the rights of others.
@Suite(
    .serialized,
    .enabled(
        if: ProcessEnvironment.effectiveUserID == 0,
        "other users' rights need root: run the tests as root"))
struct UserRightsTests {
    /// On a thread of its own, whose rights end with it.
    private func onThread<Result: Sendable>(
        _ body: @escaping @Sendable () -> Result
    ) throws -> Result {
        let (read, write) = try Syscall.pipe(nonBlocking: false)
        let box = Box<Result>()
        try startThread(name: "rights") {
            box.value = body()
            write.close()
        }
        _ = try Syscall.read(read.rawValue, count: 1)
        return try #require(box.value)
    }

    /// Written before the pipe is closed, and read after that.
    private final class Box<Value>: @unchecked Sendable {
        var value: Value?
    }

    @Test func files_withTheRightsOfAnother_areTheirs() throws {
        let path = NSTemporaryDirectory() + "/rights-\(UInt32.random(in: 0 ... .max))"
        try Syscall.makeDirectory(path, mode: 0o700)
        try Syscall.changeMode(path, 0o777)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let secret = path + "/secret"
        _ = FileManager.default.createFile(
            atPath: secret, contents: Data("x".utf8), attributes: [.posixPermissions: 0o600])
        let other = UserRights(of: 1)
        let mine = try UserRights.ofThread()
        let seen = try onThread { () -> (Errno?, Bool, UserRights?) in
            var refused: Errno?
            guard (try? other.takeForFiles()) != nil else { return (nil, false, nil) }
            do throws(Errno) { _ = try Syscall.readFile(secret) } catch { refused = error }
            let isMade =
                (try? Syscall.open(path + "/made", [.writeOnly, .create], mode: 0o600)) != nil
            let rights = try? UserRights.ofThread()
            guard (try? mine.takeForFiles()) != nil, (try? Syscall.readFile(secret)) != nil else {
                return (nil, false, nil)
            }
            return (refused, isMade, rights)
        }
        #expect(seen.0 == .permissionDenied)
        #expect(seen.1)
        #expect(seen.2?.userID == 1)
        #expect(seen.2?.groupID == other.groupID)
        let made = try Syscall.linkStatus(path + "/made")
        #expect(made.userID == 1 && made.groupID == other.groupID)
        #expect(try UserRights.ofThread() == mine)
    }

    @Test func spawn_asAnotherUser_hasTheirRightsAndNoOthers() throws {
        let (read, write) = try Syscall.pipe(nonBlocking: false)
        var request = SpawnRequest(
            path: "/bin/sh",
            arguments: [
                "sh", "-c", "id -u; id -g; id -G; grep -E '^Cap(Prm|Eff)' /proc/self/status",
            ],
            environment: ["PATH=/usr/bin:/bin"],
            descriptors: [(source: write.rawValue, target: 1)])
        let other = UserRights(of: 1)
        request.user = other
        let process = try request.spawn()
        write.close()
        var bytes: [UInt8] = []
        while case let part = try Syscall.read(read.rawValue, count: 4_096), !part.isEmpty {
            bytes += part
        }
        #expect(process.waitForExit(deadline: Syscall.monotonicNanoseconds() + 10_000_000_000))
        #expect(try process.reap() == .exited(0))
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(lines.prefix(2) == ["1", "\(other.groupID)"])
        #expect(
            Set(lines[2].split(separator: " ").compactMap { UInt32($0) })
                == Set(other.groups + [other.groupID]))
        #expect(lines.dropFirst(3).allSatisfy { $0.hasSuffix("0000000000000000") }, "\(lines)")
    }

    @Test func rights_ofSomebodyUnknown_areThoseOfNoGroup() {
        let rights = UserRights(of: 3_999_999_999)
        #expect(rights.userID == 3_999_999_999)
        #expect(rights.groups == [])
        #expect(rights.groupID == 65_534)
    }
}
