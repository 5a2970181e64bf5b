// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

@Suite(.serialized) struct UpgradeTests {
    @Test func upgrade_whenAllIsWell_successorServesAndPredecessorLeaves() throws {
        let service = try TestService()
        let old = try service.startFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        let port = try service.port("echo")
        #expect(try EchoClient(port: port).greet() == old.processID)
        let run = try service.upgradeFixture(["--listen", "echo=tcp:127.0.0.1:\(port)"])
        #expect(run.status == .exited(0), "\(run)")
        #expect(run.generation == 2)
        #expect(try old.waitForExit() == .exited(0))
        let client = try EchoClient(port: port)
        #expect(try client.greet() == run.pid)
        #expect(try client.exchange("hello") == "hello")
        #expect(service.files() == ["2.sock", "lock", "serving"])
    }

    @Test func upgrade_withoutCommand_startsTheSameAgain() throws {
        let service = try TestService()
        let old = try service.startFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        let port = try service.port("echo")
        let run = try service.swapctl(["upgrade", service.name, "--json"])
        #expect(run.status == .exited(0), "\(run)")
        #expect(run.pid != old.processID)
        #expect(try EchoClient(port: port).greet() == run.pid)
    }

    @Test func upgrade_whenConnectionIsOpen_predecessorFinishesIt() throws {
        let service = try TestService()
        let old = try service.startFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        let port = try service.port("echo")
        let client = try EchoClient(port: port)
        #expect(try client.greet() == old.processID)
        let run = try service.upgradeFixture(
            ["--listen", "echo=tcp:127.0.0.1:\(port)"], swapctl: ["--detach"])
        #expect(run.status == .exited(0), "\(run)")
        #expect(try client.exchange("still here") == "still here")
        let status = try service.swapctl(["status", service.name, "--json"])
        let states = status.objects.compactMap { $0["state"] as? String }.sorted()
        #expect(states == ["draining", "serving"], "\(status)")
        #expect(try EchoClient(port: port).greet() == run.pid)
        withExtendedLifetime(client) {}
    }

    @Test func drainDeadline_whenClientStays_cutsIsCountedAndExitsWith2() throws {
        let service = try TestService()
        let old = try service.startFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        let port = try service.port("echo")
        let client = try EchoClient(port: port)
        _ = try client.greet()
        let run = try service.upgradeFixture(
            ["--listen", "echo=tcp:127.0.0.1:\(port)"], swapctl: ["--drain", "300ms"])
        #expect(run.status == .exited(2), "\(run)")
        #expect(run.result["cut"] as? Int == 1, "\(run)")
        #expect(try client.isClosed(within: 5_000))
        #expect(try old.waitForExit() == .exited(0))
    }

    /// Its body returns when nothing more is accepted; the client that is still here is not cut.
    @Test func upgrade_ofAScopedServer_drainsBeforeItLeaves() throws {
        let service = try TestService()
        let listen = ["--listen", "echo=tcp:127.0.0.1:0", "--scoped", "yes"]
        let old = try service.startFixture(listen)
        let port = try service.port("echo")
        let client = try EchoClient(port: port)
        #expect(try client.greet() == old.processID)
        let run = try service.upgradeFixture(listen, swapctl: ["--detach"])
        #expect(run.status == .exited(0), "\(run)")
        #expect(try EchoClient(port: port).greet() == run.pid)
        #expect(try client.exchange("still served") == "still served")
        try client.closeForWriting()
        #expect(try old.waitForExit() == .exited(0))
    }

    /// An acceptor that never stops holds up neither the deadline nor what an operator is told.
    @Test(arguments: ["5000", "100"])
    func drainDeadline_whenAnAcceptorHangs_cutsAllTheSame(grace: String) throws {
        let service = try TestService()
        let old = try service.startFixture([
            "--listen", "a=tcp:127.0.0.1:0", "--listen", "echo=tcp:127.0.0.1:0",
            "--fault", "pause-hangs", "--grace-ms", grace,
        ])
        let client = try EchoClient(port: try service.port("echo"))
        _ = try client.greet()
        let swapctl = try service.startSwapctl(
            ["drain", service.name, "--json", "--deadline", "300ms"])
        #expect(try swapctl.line("{\"cut\":").contains("\"cut\":1,\"event\":\"drained\""))
        #expect(try client.isClosed(within: 5_000))
        #expect(try old.waitForExit() == .exited(70))
    }

    @Test func begin_whenAlreadyServed_namesPidAndCommand() throws {
        let service = try TestService()
        let old = try service.startFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        let second = try ChildProcess(
            Binaries.fixture, ["serve", "--service", service.name],
            environment: service.environment)
        #expect(try second.waitForExit() == .exited(1))
        #expect(second.standardError.contains("already served by pid \(old.processID)"))
        #expect(second.standardError.contains("swapctl upgrade \(service.name)"))
    }

    @Test func signals_withoutSwapctl_upgradeAndDrain() throws {
        let service = try TestService()
        let old = try service.startFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        try old.handle.signal(Signals.user2)
        let line = try old.line("ready 2 ")
        #expect(try old.waitForExit() == .exited(0))
        let pid = try #require(Int32(line.split(separator: " ")[2]))
        let successor = try ProcessHandle.open(pid)
        try successor.signal(Signals.terminate)
        #expect(successor.waitForExit(deadline: Syscall.monotonicNanoseconds() + 10_000_000_000))
        #expect(service.files() == ["lock"])
    }

    /// Who replaces files behind `swapctl stop` must not meet a process that is still being taken
    /// apart.
    @Test func stop_whenItReturns_theProcessHasEnded() throws {
        for _ in 1...10 {
            let service = try TestService()
            let old = try service.startFixture(["--many", "500=tcp"])
            let run = try service.swapctl(["stop", service.name])
            #expect(run.status == .exited(0), "\(run)")
            #expect(!old.handle.isAlive())
        }
    }

    @Test func stop_whenConnectionIsOpen_cutsItAndLeavesNothing() throws {
        let service = try TestService()
        let old = try service.startFixture(["--listen", "echo=unix:\(service.directory)/echo.sock"])
        let run = try service.swapctl(["stop", service.name])
        #expect(run.status == .exited(0), "\(run)")
        #expect(try old.waitForExit() == .exited(0))
        #expect(service.files() == ["lock"])
        // gunicorn#476 the other way round: the last of its line does take its path along.
        #expect(!FileManager.default.fileExists(atPath: service.directory + "/echo.sock"))
    }

    /// See gunicorn#476, #1109, puma#1775, tableflip#24.
    @Test func unixPath_whenPredecessorLeaves_survives() throws {
        let service = try TestService()
        let path = service.directory + "/echo.sock"
        let listen = ["--listen", "echo=unix:\(path)"]
        let old = try service.startFixture(listen)
        let before =
            try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
        #expect(try service.upgradeFixture(listen).status == .exited(0))
        try old.waitForExit()
        let after =
            try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
        #expect(before == after)
    }

    @Test func unixPath_whenDeadServerLeftIt_isBoundAgain() throws {
        let service = try TestService()
        let listen = ["--listen", "echo=unix:\(service.directory)/echo.sock"]
        let first = try service.startFixture(listen)
        try first.handle.signal(Signals.kill)
        try first.waitForExit()
        let second = try service.startFixture(listen)
        #expect(second.processID != first.processID)
    }

    /// circus#772: the set of listeners changes in an upgrade.
    @Test func listeners_whenAddressChanges_newOneIsBoundAndOldOneClosed() throws {
        let service = try TestService()
        let old = try service.startFixture(["--listen", "echo=unix:\(service.directory)/a.sock"])
        let run = try service.upgradeFixture(["--listen", "echo=unix:\(service.directory)/b.sock"])
        #expect(run.status == .exited(0), "\(run)")
        try old.waitForExit()
        #expect(old.standardError.contains("closed 'echo' (unix:\(service.directory)/a.sock)"))
        let status = try service.servingStatus()
        let listeners = try #require(status["listeners"] as? [[String: Any]])
        #expect(listeners.map { $0["address"] as? String } == ["unix:\(service.directory)/b.sock"])
    }

    @Test(arguments: [0, 1, 64 << 20, 1 << 30])
    func state_ofAnySize_arrivesWhole(size: Int) throws {
        let service = try TestService()
        let options = ["--listen", "echo=tcp:127.0.0.1:0", "--state-size", "\(size)"]
        let old = try service.startFixture(options)
        let run = try service.swapctl(["upgrade", service.name, "--json"])
        #expect(run.status == .exited(0), "\(run)")
        try old.waitForExit()
    }

    /// haproxy#1413: more than one message of descriptors.
    @Test func listeners_aThousand_areHandedOver() throws {
        let service = try TestService()
        let sockets = service.directory + "/sockets"
        try FileManager.default.createDirectory(atPath: sockets, withIntermediateDirectories: true)
        let options = ["--many", "500=tcp", "--many", "500=\(sockets)"]
        let old = try service.startFixture(options)
        let run = try service.swapctl(["upgrade", service.name, "--json"])
        #expect(run.status == .exited(0), "\(run)")
        #expect(try old.waitForExit() == .exited(0))
        let status = try service.servingStatus()
        #expect(status["listener_count"] as? Int == 1_000)
    }
}

extension TestService {
    /// The port on which a TCP listener of the serving generation is bound.
    func port(_ listener: String) throws -> UInt16 {
        let listeners = try servingStatus()["listeners"] as? [[String: Any]] ?? []
        let address = listeners.first { $0["name"] as? String == listener }?["address"] as? String
        let port = address?.split(separator: ":").last.flatMap { UInt16($0) }
        return try #require(port, "no listener '\(listener)' in \(listeners)")
    }
}
