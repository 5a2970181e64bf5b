// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import Testing

/// A runtime directory in which others have been at work.
@Suite(.serialized) struct RuntimeDirectoryTests {
    private let listen = ["--listen", "echo=tcp:127.0.0.1:0"]

    private func makeRuntime(_ service: TestService) throws {
        try FileManager.default.createDirectory(
            atPath: service.runtime, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
    }

    /// Binds a socket and leaves it behind.
    private func leaveSocket(_ path: String) throws {
        let script =
            "import socket, sys; "
            + "socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).bind(sys.argv[1])"
        let python = try ChildProcess("/usr/bin/env", ["python3", "-c", script, path])
        #expect(try python.waitForExit() == .exited(0))
    }

    // MARK: - What others have left

    @Test func temporaryNames_ofTheKilled_areRemovedByTheNext() throws {
        let service = try TestService()
        try makeRuntime(service)
        // A pid that is used is no reason to keep it: who has the lock is alone.
        for pid in ["2000000001", "1"] {
            try leaveSocket("\(service.runtime)/.2.\(pid)")
            try Syscall.symbolicLink(to: "2.sock", at: "\(service.runtime)/.serving.\(pid)")
        }
        // What only looks like them.
        let kept = [".2.x", ".7.1", "note"]
        for name in kept {
            #expect(
                FileManager.default.createFile(
                    atPath: "\(service.runtime)/\(name)", contents: Data("text".utf8)))
        }
        _ = try service.startFixture(listen)
        #expect(service.files() == (["1.sock", "lock", "serving"] + kept).sorted())
    }

    @Test func temporaryNames_ofAKilledSuccessor_areRemovedByItsPredecessor() throws {
        let service = try TestService()
        _ = try service.startFixture(listen)
        try leaveSocket("\(service.runtime)/.2.2000000001")
        // Somebody who lives may be about to rename it.
        try leaveSocket("\(service.runtime)/.9.1")
        let run = try service.upgradeFixture(listen + ["--fault", "exit-at-once"])
        #expect(run.status == .exited(1), "\(run)")
        #expect(service.files() == [".9.1", "1.sock", "lock", "serving"])
    }

    @Test func files_thatAreNoSockets_areNotRemoved() throws {
        let service = try TestService()
        try makeRuntime(service)
        let outside = service.directory + "/outside.sock"
        try leaveSocket(outside)
        #expect(
            FileManager.default.createFile(
                atPath: service.runtime + "/3.sock", contents: Data("precious".utf8)))
        try Syscall.symbolicLink(to: outside, at: service.runtime + "/4.sock")
        let server = try ChildProcess(
            Binaries.fixture, ["serve", "--service", service.name] + listen,
            environment: service.environment)
        // The number of neither: its socket would take the place of theirs.
        _ = try server.line("ready 5 ")
        #expect(
            FileManager.default.contents(atPath: service.runtime + "/3.sock")
                == Data("precious".utf8))
        #expect(try Syscall.readLink(service.runtime + "/4.sock") == outside)
        #expect(try Syscall.linkStatus(outside).isSocket)
    }

    @Test func generations_withNamesThatNoGenerationWrites_areNone() throws {
        let service = try TestService()
        try makeRuntime(service)
        for name in [
            "+1", "-1", "01", "0", "9223372036854775807", "1" + String(repeating: "0", count: 40),
        ] {
            try leaveSocket("\(service.runtime)/\(name).sock")
        }
        #expect(RuntimeDirectory(path: service.runtime).generations() == [])
        _ = try service.startFixture(listen)
        #expect(try service.servingStatus()["generation"] as? Int == 1)
    }

    // MARK: - What others have taken away

    @Test func lock_thatWasRemoved_letsNoSecondLineStart() throws {
        let service = try TestService()
        let first = try service.startFixture(listen)
        for _ in 0..<2 {
            try? Syscall.unlink(service.runtime + "/lock")
            let second = try ChildProcess(
                Binaries.fixture, ["serve", "--service", service.name] + listen,
                environment: service.environment)
            #expect(try second.waitForExit() == .exited(1), "\(second.standardOutput)")
            #expect(second.standardError.contains("already served"), "\(second.standardError)")
            #expect(second.standardError.contains("pid \(first.processID)"))
        }
        #expect(try service.servingStatus()["pid"] as? Int == Int(first.processID))
        #expect(try service.upgradeFixture(listen).status == .exited(0))
    }

    @Test func directory_thatWasRemoved_letsNoSecondLineStart() throws {
        let service = try TestService()
        let first = try service.startFixture(listen)
        try FileManager.default.removeItem(atPath: service.runtime)
        let second = try ChildProcess(
            Binaries.fixture, ["serve", "--service", service.name] + listen,
            environment: service.environment)
        #expect(try second.waitForExit() == .exited(1), "\(second.standardOutput)")
        #expect(second.standardError.contains("pid \(first.processID)"), "\(second.standardError)")
        try first.handle.signal(Signals.kill)
        try first.waitForExit()
        _ = try service.startFixture(listen)
    }

    /// The one that drains has let the lock go: a new line begins beside it.
    @Test func lock_whileAnOldGenerationDrains_isTaken() throws {
        let service = try TestService()
        let old = try service.startFixture(listen)
        let kept = try EchoClient(port: service.port("echo"))
        _ = try kept.greet()
        let run = try service.upgradeFixture(listen, swapctl: ["--detach", "--drain", "60s"])
        // The one that serves leaves of its own accord, and nobody takes its place.
        let successor = try ProcessHandle.open(try #require(run.pid))
        let deadline = Syscall.monotonicNanoseconds() + 10_000_000_000
        let order = try RuntimeDirectory(path: service.runtime).connect(2)
        try order.send(Wire.Stop())
        while try order.receive(deadline: deadline) != nil {}
        #expect(successor.waitForExit(deadline: deadline))
        #expect(old.handle.isAlive())
        let next = try ChildProcess(
            Binaries.fixture, ["serve", "--service", service.name] + listen,
            environment: service.environment)
        _ = try next.line("ready ")
        #expect(try kept.exchange("still served") == "still served")
    }

    // MARK: - Who is found

    @Test(arguments: ["missing", "dangling", "garbage", "file"])
    func serving_thatIsBroken_isNoReasonNotToFindWhoServes(_ how: String) throws {
        let service = try TestService()
        let server = try service.startFixture(listen)
        let path = service.runtime + "/serving"
        try Syscall.unlink(path)
        switch how {
        case "dangling": try Syscall.symbolicLink(to: "7.sock", at: path)
        case "garbage": try Syscall.symbolicLink(to: "../../etc", at: path)
        case "file": #expect(FileManager.default.createFile(atPath: path, contents: Data()))
        default: break
        }
        let run = try service.upgradeFixture(listen)
        #expect(run.status == .exited(0), "\(run)")
        #expect(try server.waitForExit() == .exited(0))
        #expect(try Syscall.readLink(path) == "2.sock")
    }

    @Test func silentOperators_doNotKeepOthersOut() throws {
        let service = try TestService()
        _ = try service.startFixture(listen)
        let directory = RuntimeDirectory(path: service.runtime)
        let silent = try (0..<100).map { _ in try directory.connectServing() }
        let begin = Syscall.monotonicNanoseconds()
        #expect(try service.swapctl(["status", service.name]).status == .exited(0))
        // Not when they have been silent for ten seconds.
        #expect(Syscall.monotonicNanoseconds() - begin < 8_000_000_000)
        withExtendedLifetime(silent) {}
    }

    /// One that has asked is never ended for another.
    @Test func operatorsWhoHaveAsked_areAnsweredThoughOthersCrowd() throws {
        let service = try TestService()
        _ = try service.startFixture(listen)
        let fifo = try Fifo(in: service.directory)
        let upgrade = try service.startSwapctl(
            ["upgrade", service.name, "--json", "--", Binaries.fixture, "serve", "--service"]
                + [service.name] + listen + ["--fault", "hold:send ready:\(fifo.path)"])
        try fifo.waitUntilReached()
        let directory = RuntimeDirectory(path: service.runtime)
        let silent = try (0..<100).map { _ in try directory.connectServing() }
        #expect(try service.swapctl(["status", service.name]).status == .exited(0))
        fifo.release()
        #expect(try upgrade.waitForExit() == .exited(0), "\(upgrade.standardOutput)")
        withExtendedLifetime(silent) {}
    }

    @Test func request_withABadNumber_isMalformed() throws {
        let service = try TestService()
        let server = try service.startFixture(listen)
        let directory = RuntimeDirectory(path: service.runtime)
        for text in [
            "upgrade\nTIMEOUT_MS=-1\n", "drain\nDEADLINE_MS=+5\n", "drain\nDEADLINE_MS=-0\n",
            "upgrade\nDRAIN_MS=9223372036854775808\n", "reload\nTIMEOUT_MS=9223372036854775807\n",
            "drain\nDEADLINE_MS=1" + String(repeating: "0", count: 40) + "\n",
        ] {
            let socket = try directory.connectServing()
            try socket.send(encoded: Array("SUCCESSION/1 \(text)".utf8), descriptors: [])
            let answer = try socket.receive(
                deadline: Syscall.monotonicNanoseconds() + 5_000_000_000)?.message
            #expect(answer?.refusal?.code == .malformed, "\(text)")
        }
        #expect(server.handle.isAlive())
        #expect(try service.servingStatus()["state"] as? String == "serving")
    }
}
