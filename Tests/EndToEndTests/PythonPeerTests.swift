// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import Testing

/// Peers in another language, written from docs/protocol.md: the page is the protocol.
@Suite(.serialized) struct PythonPeerTests {
    private static let peer = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Peers/peer.py").path

    private func python(_ service: TestService, _ options: [String] = []) -> [String] {
        ["/usr/bin/env", "python3", Self.peer, "--service", service.name] + options
    }

    @Test func pythonSuccessor_afterSwiftPredecessor_serves() throws {
        let service = try TestService()
        let old = try service.startFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        let port = try service.port("echo")
        let run = try service.swapctl(["upgrade", service.name, "--json", "--"] + python(service))
        #expect(run.status == .exited(0), "\(run)")
        #expect(try old.waitForExit() == .exited(0))
        let client = try EchoClient(port: port)
        #expect(try client.greet() == run.pid)
        #expect(try client.exchange("from Swift to Python") == "from Swift to Python")
    }

    @Test func pythonPredecessor_handsOverToSwift() throws {
        let service = try TestService()
        let command = python(service, ["--listen", "echo=tcp:127.0.0.1:0"])
        let old = try ChildProcess(
            command[0], Array(command.dropFirst()), environment: service.environment)
        _ = try old.line("ready 1 ")
        let port = try service.port("echo")
        let run = try service.upgradeFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        #expect(run.status == .exited(0), "\(run)")
        #expect(run.generation == 2)
        #expect(try old.waitForExit() == .exited(0))
        #expect(try EchoClient(port: port).greet() == run.pid)
    }

    @Test func pythonPredecessor_whenSwiftSuccessorFails_servesOn() throws {
        let service = try TestService()
        let command = python(service, ["--listen", "echo=tcp:127.0.0.1:0"])
        let old = try ChildProcess(
            command[0], Array(command.dropFirst()), environment: service.environment)
        _ = try old.line("ready 1 ")
        let port = try service.port("echo")
        let run = try service.upgradeFixture(
            ["--listen", "echo=tcp:127.0.0.1:0", "--fault", "kill:send ready"])
        #expect(run.status == .exited(1), "\(run)")
        #expect(try EchoClient(port: port).greet() == old.processID)
        #expect(service.files() == ["1.sock", "lock", "serving"])
    }

    @Test func pythonPredecessor_toldToDrainDuringAnUpgrade_callsItOff() throws {
        let service = try TestService()
        let command = python(service, ["--listen", "echo=tcp:127.0.0.1:0"])
        let old = try ChildProcess(
            command[0], Array(command.dropFirst()), environment: service.environment)
        _ = try old.line("ready 1 ")
        let fifo = try Fifo(in: service.directory)
        let upgrade = try service.startSwapctl(
            ["upgrade", service.name, "--json", "--", Binaries.fixture, "serve", "--service"]
                + [service.name, "--listen", "echo=tcp:127.0.0.1:0"]
                + ["--fault", "hold:send ready:\(fifo.path)"])
        try fifo.waitUntilReached()
        let drain = try service.swapctl(["drain", service.name, "--json"])
        #expect(drain.status == .exited(0), "\(drain)")
        #expect(try upgrade.waitForExit() == .exited(1))
        #expect(upgrade.standardOutput.contains("\"code\":\"operator\""))
        #expect(try old.waitForExit() == .exited(0), "\(old.standardError)")
        #expect(DescriptorAudit.processes(mentioning: service.name) == [])
        #expect(service.files() == ["lock"])
    }

    @Test func pythonGeneration_askedUnknownThings_answersAsThePageSays() throws {
        let service = try TestService()
        let command = python(service, ["--listen", "echo=tcp:127.0.0.1:0"])
        let server = try ChildProcess(
            command[0], Array(command.dropFirst()), environment: service.environment)
        _ = try server.line("ready 1 ")
        let socket = try RuntimeDirectory(path: service.runtime).connectServing()
        let deadline = Syscall.monotonicNanoseconds() + 5_000_000_000
        try socket.send(encoded: Array("SUCCESSION/1 frobnicate\n".utf8), descriptors: [])
        #expect(
            try socket.receive(deadline: deadline)?.message.refusal?.code == .unknownKind)
        try socket.send(Wire.StatusRequest())
        let status = try #require(try socket.receive(deadline: deadline)?.message)
        #expect(try Wire.Status(status).state != nil)
        let reload = try service.swapctl(["reload", service.name, "--json"])
        #expect(reload.code == "unsupported", "\(reload)")
    }

    @Test func pythonPredecessor_toldToAbort_callsItOff() throws {
        let service = try TestService()
        let command = python(service, ["--listen", "echo=tcp:127.0.0.1:0"])
        let old = try ChildProcess(
            command[0], Array(command.dropFirst()), environment: service.environment)
        _ = try old.line("ready 1 ")
        #expect(try service.swapctl(["abort", service.name, "--json"]).code == "no-upgrade")
        let fifo = try Fifo(in: service.directory)
        let upgrade = try service.startSwapctl(
            ["upgrade", service.name, "--json", "--", Binaries.fixture, "serve", "--service"]
                + [service.name, "--listen", "echo=tcp:127.0.0.1:0"]
                + ["--fault", "hold:send ready:\(fifo.path)"])
        try fifo.waitUntilReached()
        let abort = try service.swapctl(["abort", service.name, "--json"])
        #expect(abort.status == .exited(0), "\(abort)")
        #expect(abort.pid == old.processID)
        #expect(abort.result["successor"] is Int, "\(abort)")
        #expect(try upgrade.waitForExit() == .exited(1))
        #expect(upgrade.standardOutput.contains("\"code\":\"operator\""))
        #expect(service.files() == ["1.sock", "lock", "serving"])
        withExtendedLifetime(fifo) {}
    }

    /// `FEATURES=` may be empty: the upgrade goes on without state.
    @Test func pythonSuccessor_thatKnowsNoFeature_getsNoState() throws {
        let service = try TestService()
        let old = try service.startFixture(
            ["--listen", "echo=tcp:127.0.0.1:0", "--state-size", "100"])
        let run = try service.swapctl(
            ["upgrade", service.name, "--json", "--"] + python(service, ["--features", ""]))
        #expect(run.status == .exited(0), "\(run)")
        #expect(try old.waitForExit() == .exited(0))
        #expect(old.standardError.contains("0 bytes of state"), "\(old.standardError)")
    }

    /// A predecessor without memory files leaves SUCCESSION_STDERR out.
    @Test func pythonPredecessor_withoutCapture_handsOverToSwift() throws {
        let service = try TestService()
        let command = python(
            service, ["--listen", "echo=tcp:127.0.0.1:0", "--without-capture"])
        let old = try ChildProcess(
            command[0], Array(command.dropFirst()), environment: service.environment)
        _ = try old.line("ready 1 ")
        let failed = try service.upgradeFixture(["--fault", "exit-at-once"])
        #expect(failed.status == .exited(1), "\(failed)")
        #expect(failed.result["stderr"] as? [String] == [], "\(failed)")
        let run = try service.upgradeFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        #expect(run.status == .exited(0), "\(run)")
        #expect(try old.waitForExit() == .exited(0))
        // The standard error of the successor is its predecessor's from the beginning.
        #expect(old.standardError.contains("told to exit at once"), "\(old.standardError)")
    }

    /// Three generations of Python alone, and hand-overs that fail.
    @Test func selftest_passes() throws {
        let path = Self.peer.replacingOccurrences(of: "peer.py", with: "selftest.py")
        let run = try ChildProcess("/usr/bin/env", ["python3", path])
        #expect(
            try run.waitForExit() == .exited(0), "\(run.standardOutput) \(run.standardError)")
    }
}
