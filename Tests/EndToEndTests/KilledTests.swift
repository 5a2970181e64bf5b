// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// Death of the predecessor or of swapctl in the middle of an upgrade.
@Suite(.serialized) struct KilledTests {
    /// envoy#7468: a predecessor that dies early takes the successor along.
    @Test(arguments: [
        "received taken", "received ready", "pausing", "committed", "send committed",
        "received accepting",
    ])
    func predecessor_killedAfterTheDescriptorsWereTaken_successorServes(step: String) throws {
        let service = try TestService()
        let old = try service.startFixture(
            ["--listen", "echo=tcp:127.0.0.1:0", "--fault", "kill:\(step)"])
        let port = try service.port("echo")
        let swapctl = try service.startSwapctl(
            [
                "upgrade", service.name, "--json", "--", Binaries.fixture, "serve", "--service",
                service.name, "--listen", "echo=tcp:127.0.0.1:0",
            ])
        #expect(try old.waitForExit() == .signaled(9, coreDumped: false))
        // In the queue, or about to be: nobody may refuse it.
        let successor = try EchoClient(port: port).greet()
        #expect(successor != old.processID)
        #expect(try swapctl.waitForExit() == .exited(0), "\(swapctl.standardOutput)")
        #expect(try service.servingStatus()["pid"] as? Int == Int(successor))
        // What the dead left behind is gone, and the line goes on.
        let next = try service.upgradeFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        #expect(next.status == .exited(0), "\(next)")
        #expect(service.files() == ["\(next.generation ?? 0).sock", "lock", "serving"])
    }

    @Test(arguments: [
        "send hello", "send taken", "send ready", "starting to accept", "send accepting",
    ])
    func swapctl_killedAtAStep_upgradeGoesOn(step: String) throws {
        let service = try TestService()
        let old = try service.startFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        let port = try service.port("echo")
        let fifo = try Fifo(in: service.directory)
        let swapctl = try service.startSwapctl(
            [
                "upgrade", service.name, "--", Binaries.fixture, "serve", "--service", service.name,
                "--listen", "echo=tcp:127.0.0.1:0", "--fault", "hold:\(step):\(fifo.path)",
            ])
        try fifo.waitUntilReached()
        try swapctl.handle.signal(Signals.kill)
        try swapctl.waitForExit()
        fifo.release()
        let line = try old.line("ready 2 ")
        #expect(try old.waitForExit() == .exited(0))
        let successor = try EchoClient(port: port).greet()
        #expect(line == "ready 2 \(successor)")
    }

    /// A successor that is silent after it was told to accept: the predecessor takes over again
    /// once it is dead.
    @Test func successor_hangsAfterCommit_predecessorResumes() throws {
        let service = try TestService()
        let listen = ["--listen", "echo=tcp:127.0.0.1:0"]
        let old = try service.startFixture(listen)
        let port = try service.port("echo")
        let run = try service.upgradeFixture(listen + ["--fault", "hang:starting to accept"])
        #expect(run.status == .exited(1), "\(run)")
        #expect(run.code == "timeout", "\(run)")
        #expect(try EchoClient(port: port).greet() == old.processID)
        #expect(try service.upgradeFixture(listen).status == .exited(0))
    }

    /// /run is full or read-only: that swapctl does not find the successor is no reason to leave
    /// nobody serving.
    @Test(arguments: [("send ready", "serving"), ("send taken", "2.sock")])
    func predecessor_killed_whenTheRegistryCannotBeWritten_successorServes(
        step: String, name: String
    ) throws {
        let service = try TestService()
        let fifo = try Fifo(in: service.directory)
        let listen = ["--listen", "echo=tcp:127.0.0.1:0"]
        let old = try service.startFixture(listen)
        let port = try service.port("echo")
        let swapctl = try service.startSwapctl(
            [
                "upgrade", service.name, "--json", "--", Binaries.fixture, "serve", "--service",
                service.name,
            ] + listen
                + ["--fault", "hold:\(step):\(fifo.path)"])
        try fifo.waitUntilReached()
        // A directory that is not empty: rename(2) does not replace it, root or not.
        let obstacle = service.runtime + "/" + name
        try? FileManager.default.removeItem(atPath: obstacle)
        try FileManager.default.createDirectory(
            atPath: obstacle + "/x", withIntermediateDirectories: true)
        try old.handle.signal(Signals.kill)
        try old.waitForExit()
        fifo.release()
        let client = try EchoClient(port: port)
        let successor = try client.greet()
        #expect(successor != old.processID)
        _ = try old.errorLine("\(service.name)[2] warning: cannot ")
        try swapctl.waitForExit()
        #expect(try client.exchange("served") == "served")
    }

    /// `accepting` does not go through at once: it is sent again, and not taken for said.
    @Test func accepting_whenTheChannelIsFull_isSentAgain() throws {
        let service = try TestService()
        let fifo = try Fifo(in: service.directory)
        let listen = ["--listen", "echo=tcp:127.0.0.1:0"]
        let old = try service.startFixture(listen)
        let port = try service.port("echo")
        let swapctl = try service.startSwapctl(
            [
                "upgrade", service.name, "--json", "--detach", "--", Binaries.fixture, "serve",
                "--service", service.name,
            ] + listen + ["--fault", "crowd:send accepting:\(fifo.path)"])
        try fifo.waitUntilReached()
        // It reads nothing until it goes on.
        try old.stop()
        fifo.release()
        let client = try EchoClient(port: port)
        let successor = try client.greet()
        #expect(successor != old.processID)
        pass(seconds: 0.5)
        try old.handle.signal(Signals.proceed)
        #expect(try swapctl.waitForExit() == .exited(0), "\(swapctl.standardOutput)")
        #expect(try old.waitForExit() == .exited(0))
        #expect(try client.exchange("served on") == "served on")
    }
}
