// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import SystemPackage
import Testing

/// `swapctl abort`: an upgrade that hangs is called off by hand.
@Suite(.serialized) struct AbortTests {
    private let listen = ["--listen", "echo=tcp:127.0.0.1:0"]

    /// An upgrade that has come to a step of the successor and waits there.
    private func hanging(
        _ service: TestService, at fault: String
    ) throws -> (upgrade: ChildProcess, fifo: Fifo) {
        let fifo = try Fifo(in: service.directory)
        let upgrade = try service.startSwapctl(
            [
                "upgrade", service.name, "--json", "--timeout", "50s", "--", Binaries.fixture,
                "serve",
            ]
                + ["--service", service.name] + listen + ["--fault", "hold:\(fault):\(fifo.path)"])
        try fifo.waitUntilReached()
        return (upgrade, fifo)
    }

    @Test(arguments: ["received offer", "send taken", "send ready", "starting to accept"])
    func abort_whereverTheSuccessorHangs_undoesTheUpgrade(_ step: String) throws {
        let service = try TestService()
        let old = try service.startFixture(listen)
        let port = try service.port("echo")
        let kept = try EchoClient(port: port)
        #expect(try kept.greet() == old.processID)
        let before = try DescriptorAudit(old.processID, withoutConnections: true)
        let (upgrade, fifo) = try hanging(service, at: step)
        defer { withExtendedLifetime(fifo) {} }
        let run = try service.swapctl(["abort", service.name, "--json"])
        #expect(run.status == .exited(0), "\(run)")
        #expect(run.result["result"] as? String == "aborted")
        #expect(run.generation == 1 && run.pid == old.processID, "\(run)")
        let successor = try #require(run.result["successor"] as? Int)
        #expect((try? ProcessHandle.open(Int32(successor)))?.isAlive() != true)
        #expect(try upgrade.waitForExit() == .exited(1), "\(upgrade.standardOutput)")
        #expect(upgrade.standardOutput.contains("\"code\":\"operator\""))
        #expect(upgrade.standardOutput.contains("called off by pid "))
        #expect(try kept.exchange("still served") == "still served")
        #expect(try EchoClient(port: port).greet() == old.processID)
        #expect(service.files() == ["1.sock", "lock", "serving"])
        #expect(
            try DescriptorAudit.settles(old.processID, to: before), "held before: \(before.kinds)")
        let next = try service.upgradeFixture(listen, swapctl: ["--drain", "100ms"])
        #expect(next.generation == 2, "\(next)")
    }

    @Test func abort_whileTheStateIsWritten_undoesTheUpgrade() throws {
        let service = try TestService()
        let fifo = try Fifo(in: service.directory)
        let old = try service.startFixture(
            listen + ["--state-size", "100", "--fault", "hold:writing state:\(fifo.path)"])
        let upgrade = try service.startSwapctl(["upgrade", service.name, "--json"])
        try fifo.waitUntilReached()
        let run = try service.swapctl(["abort", service.name, "--json"])
        #expect(run.status == .exited(0), "\(run)")
        #expect(run.result["successor"] is NSNull, "\(run)")
        #expect(try upgrade.waitForExit() == .exited(1))
        #expect(upgrade.standardOutput.contains("\"code\":\"operator\""))
        #expect(try service.servingStatus()["pid"] as? Int == Int(old.processID))
    }

    @Test func abort_whenNoUpgradeRuns_saysSo() throws {
        let service = try TestService()
        let old = try service.startFixture(listen)
        let run = try service.swapctl(["abort", service.name, "--json"])
        #expect(run.status == .exited(1), "\(run)")
        #expect(run.code == "no-upgrade")
        #expect(run.pid == old.processID)
        let text = try service.swapctl(["abort", service.name])
        #expect(text.standardError.contains("no upgrade is running"), "\(text)")
        #expect(text.standardOutput.contains("generation 1 (pid \(old.processID)) is serving"))
    }

    @Test func abort_whenTheSuccessorServes_isTooLate() throws {
        let service = try TestService()
        _ = try service.startFixture(listen)
        let kept = try EchoClient(port: service.port("echo"))
        _ = try kept.greet()
        #expect(try service.upgradeFixture(listen, swapctl: ["--detach"]).generation == 2)
        let socket = try RuntimeDirectory(path: service.runtime).connect(1)
        try socket.send(Wire.AbortRequest())
        let answer = try socket.receive(
            deadline: Syscall.monotonicNanoseconds() + 5_000_000_000)?.message
        #expect(answer?.refusal?.code == .tooLate, "\(String(describing: answer))")
        // The one that serves runs none.
        #expect(try service.swapctl(["abort", service.name, "--json"]).code == "no-upgrade")
        #expect(try kept.exchange("still served") == "still served")
    }

    @Test func abort_ofNobody_isNoService() throws {
        let service = try TestService()
        #expect(try service.swapctl(["abort", service.name]).status == .exited(69))
    }

    /// Two operators at once are both answered.
    @Test func abort_byTwo_answersBoth() throws {
        let service = try TestService()
        _ = try service.startFixture(listen)
        let (upgrade, fifo) = try hanging(service, at: "send ready")
        defer { withExtendedLifetime(fifo) {} }
        let directory = RuntimeDirectory(path: service.runtime)
        let sockets = try (0..<2).map { _ in try directory.connect(1) }
        for socket in sockets { try socket.send(Wire.AbortRequest()) }
        for socket in sockets {
            let answer = try socket.receive(
                deadline: Syscall.monotonicNanoseconds() + 10_000_000_000)?.message
            #expect(try Wire.Aborted(try #require(answer)).generation == 1)
        }
        #expect(try upgrade.waitForExit() == .exited(1))
    }

    /// The successor has died, and its predecessor starts its own program in its place: an operator
    /// may not want that.
    @Test func abort_ofTheReplacementOfADeadSuccessor_isAnswered() throws {
        let service = try TestService()
        let fifo = try Fifo(in: service.directory)
        let old = try service.startFixture(listen + ["--fault", "hold:send taken:\(fifo.path)"])
        let port = try service.port("echo")
        let kept = try EchoClient(port: port)
        #expect(try kept.greet() == old.processID)
        let run = try service.upgradeFixture(listen, swapctl: ["--detach"])
        try ProcessHandle.open(try #require(run.pid)).signal(Signals.kill)
        try fifo.waitUntilReached()
        let aborted = try service.swapctl(["abort", service.name, "--json"])
        #expect(aborted.status == .exited(0), "\(aborted)")
        #expect(aborted.result["result"] as? String == "aborted", "\(aborted)")
        #expect(aborted.result["state"] as? String == "draining", "\(aborted)")
        _ = try old.errorLine("\(service.name)[1] error: nobody serves: called off by pid ")
        #expect(throws: Errno.connectionRefused) { _ = try EchoClient(port: port) }
        #expect(try kept.exchange("still served") == "still served")
        try kept.closeForWriting()
        #expect(try old.waitForExit() == .exited(0))
        #expect(service.files() == ["lock"])
        withExtendedLifetime(fifo) {}
    }
}
