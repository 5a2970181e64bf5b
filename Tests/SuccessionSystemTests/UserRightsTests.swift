// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import SystemPackage
import Testing

extension SystemTests {
    /// These need root, which alone may take the rights of others.
    @Suite(
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
                guard (try? mine.takeForFiles()) != nil, (try? Syscall.readFile(secret)) != nil
                else {
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
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(
                String.init)
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
}
