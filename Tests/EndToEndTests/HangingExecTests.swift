// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// The program of the successor lies on a file system that does not answer.
@Suite(.serialized) struct HangingExecTests {
    private let service: TestService
    private let listen = ["--listen", "echo=tcp:127.0.0.1:0"]
    private let old: ChildProcess
    private let port: UInt16
    private let program: HangingProgram

    init() throws {
        service = try TestService()
        old = try service.startFixture(listen)
        port = try service.port("echo")
        program = try HangingProgram(
            in: service.directory,
            "#!/bin/sh\nexec '\(Binaries.fixture)' serve --service \(service.name) "
                + "\(listen.joined(separator: " "))\n")
    }

    private func upgrade(_ options: [String]) throws -> ChildProcess {
        try service.startSwapctl(
            ["upgrade", service.name, "--json"] + options + ["--", program.path])
    }

    private func waitUntilStarting() throws {
        _ = try old.errorLine("\(service.name)[1] upgrade, asked for by")
    }

    /// What has hung does so no more, and nothing of it is left.
    private func expectUndisturbed(_ before: DescriptorAudit) throws {
        #expect(try EchoClient(port: port).greet() == old.processID)
        #expect(service.files() == ["1.sock", "lock", "serving"])
        #expect(try DescriptorAudit.settles(old.processID, to: before))
        #expect(DescriptorAudit.zombies(of: old.processID) == [])
        program.release()
        let good = try service.upgradeFixture(listen)
        #expect(good.status == .exited(0), "\(good)")
        #expect(try old.waitForExit() == .exited(0))
    }

    @Test func predecessor_whileExecveHangs_answersAndKeepsTheDeadline() throws {
        let before = try DescriptorAudit(old.processID, withoutConnections: true)
        let swapctl = try upgrade(["--timeout", "2s"])
        try waitUntilStarting()
        #expect(try EchoClient(port: port).greet() == old.processID)
        let status = try service.servingStatus()
        #expect(status["upgrade"] != nil, "\(status)")
        let other = try service.swapctl(["upgrade", service.name, "--json"])
        #expect(other.code == "busy", "\(other)")
        #expect(try swapctl.waitForExit(within: 10) == .exited(1))
        let run = SwapctlRun(
            status: .exited(1), standardOutput: swapctl.standardOutput, standardError: "")
        #expect(run.code == "timeout", "\(run)")
        #expect(run.reason.contains("was not executed"), "\(run)")
        try expectUndisturbed(before)
    }

    @Test func predecessor_toldToLeaveWhileExecveHangs_leaves() throws {
        let swapctl = try upgrade([])
        try waitUntilStarting()
        try old.handle.signal(Signals.terminate)
        #expect(try swapctl.waitForExit(within: 10) == .exited(1))
        #expect(swapctl.standardOutput.contains("told to leave"))
        #expect(try old.waitForExit(within: 10) == .exited(0))
    }

    /// The half-started process holds copies of all that the predecessor had open.
    @Test func connection_thatThePredecessorClosesMeanwhile_isClosed() throws {
        let client = try EchoClient(port: port)
        #expect(try client.greet() == old.processID)
        let swapctl = try upgrade(["--timeout", "20s"])
        try waitUntilStarting()
        // The launch is a thread's, so the step alone does not tell that it hangs by now.
        let deadline = Syscall.monotonicNanoseconds() + 10_000_000_000
        while DescriptorAudit.children(of: old.processID).isEmpty {
            try #require(Syscall.monotonicNanoseconds() < deadline)
        }
        try client.closeForWriting()
        #expect(try client.isClosed(within: 2_000))
        program.release()
        #expect(try swapctl.waitForExit() == .exited(0), "\(swapctl.standardOutput)")
    }

    @Test func execve_thatIsSlow_isWaitedFor() throws {
        let swapctl = try upgrade(["--timeout", "20s"])
        try waitUntilStarting()
        pass(seconds: 1)
        program.release()
        #expect(try swapctl.waitForExit() == .exited(0), "\(swapctl.standardOutput)")
        #expect(try old.waitForExit() == .exited(0))
        #expect(try EchoClient(port: port).greet() != old.processID)
    }
}
