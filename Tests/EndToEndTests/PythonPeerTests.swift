// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
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
    }
}
