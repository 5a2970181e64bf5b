// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// Upgrades below a process that takes the end of the first generation for the end of the service.
@Suite(.serialized, .enabled(if: Container.isPossible, "pid namespaces need root"))
struct ForegroundTests {
    private let service: TestService
    private let port: UInt16

    init() throws {
        service = try TestService()
        port = try FreePort.find()
    }

    private var server: [String] {
        [
            Binaries.fixture, "serve", "--service", service.name, "--listen",
            "echo=tcp:127.0.0.1:\(port)",
        ]
    }
    private var supervised: [String] {
        [Binaries.swapctl, "supervise", service.name, "--"] + server
    }
    /// For a shell.
    private func words(_ command: [String]) -> String { command.joined(separator: " ") }

    private func start(_ command: [String]) throws -> Container {
        let container = try Container(command, environment: service.environment)
        _ = try container.process.line("ready 1 ")
        return container
    }

    private func upgrade() throws -> SwapctlRun {
        try service.swapctl(["upgrade", service.name, "--json"])
    }

    // MARK: Process 1

    @Test func upgrade_tenTimesAsProcessOneUnderLoad_losesNothingAndStays() throws {
        let container = try start(server)
        let one = try container.processOne()
        #expect(try upgrade().status == .exited(0))
        let before = try DescriptorAudit(one)
        let load = try ChildProcess(
            Binaries.load,
            [
                "--echo", "tcp:127.0.0.1:\(port)", "--timeout", "10s", "--hold", "50ms", "--rate",
                "50", "--json",
            ])
        for number in 3...11 {
            let run = try upgrade()
            #expect(run.status == .exited(0), "\(run)")
            #expect(run.generation == number)
            #expect(container.isAlive)
        }
        load.closeInput()
        #expect(try load.waitForExit() == .exited(0), "\(load.standardOutput)")
        #expect(load.standardOutput.contains("\"failed\":0"), "\(load.standardOutput)")
        // Process 1, and the generation that serves.
        #expect(try container.others().count == 1)
        #expect(DescriptorAudit.zombies(of: one) == [])
        #expect(try DescriptorAudit.settles(one, to: before))
        #expect(try service.swapctl(["stop", service.name]).status == .exited(0))
        #expect(try container.process.waitForExit(within: 20) == .exited(0))
    }

    @Test func processOne_whenTheLastGenerationIsKilled_leavesWithItsStatus() throws {
        let container = try start(server)
        #expect(try upgrade().status == .exited(0))
        let serving = try #require(try container.others().last)
        try ProcessHandle.open(serving).signal(Signals.kill)
        #expect(try container.process.waitForExit(within: 20) == .exited(137))
    }

    /// The successor is the child of a generation that drains, which starts another one.
    @Test func processOne_whenTheSuccessorIsKilledDuringTheDrain_staysWithTheNext() throws {
        let container = try start(server + ["--drain-ms", "5000"])
        var client: EchoClient? = try EchoClient(port: port)
        _ = try client?.greet()
        let first = try ProcessHandle.open(try #require(try container.others().last))
        let run = try service.swapctl(["upgrade", service.name, "--json", "--detach"])
        #expect(run.status == .exited(0), "\(run)")
        _ = try container.process.line("ready 2 ")
        let second = try #require(try container.others().last)
        try ProcessHandle.open(second).signal(Signals.kill)
        _ = try container.process.line("ready 2 ")
        #expect(try client?.exchange("still served") == "still served")
        client = nil
        #expect(first.waitForExit(deadline: Syscall.monotonicNanoseconds() + 20_000_000_000))
        // Now nobody is left who would start another one.
        let third = try #require(try container.others().last)
        #expect(third != second)
        try ProcessHandle.open(third).signal(Signals.kill)
        #expect(try container.process.waitForExit(within: 20) == .exited(137))
    }

    @Test func processOne_handsOnSignals() throws {
        let container = try start(server)
        try container.signal(Signals.user2)
        _ = try container.process.line("ready 2 ")
        try container.signal(Signals.user2)
        _ = try container.process.line("ready 3 ")
        try container.signal(Signals.terminate)
        #expect(try container.process.waitForExit(within: 20) == .exited(0))
        #expect(service.files() == ["lock"])
    }

    @Test func processOne_whenTheFirstCannotBegin_leavesWithItsStatus() throws {
        let container = try Container(
            server + ["--fault", "exit-at-once"], environment: service.environment)
        #expect(try container.process.waitForExit(within: 20) == .exited(1))
    }

    /// A failed upgrade changes nothing, and its status is not the line's.
    @Test func processOne_whenAnUpgradeFails_staysAndServes() throws {
        let container = try start(server)
        let run = try service.upgradeFixture(["--fault", "exit-at-once"])
        #expect(run.status == .exited(1), "\(run)")
        #expect(container.isAlive)
        #expect(try upgrade().status == .exited(0))
        #expect(try service.swapctl(["stop", service.name]).status == .exited(0))
        #expect(try container.process.waitForExit(within: 20) == .exited(0))
    }

    @Test func processOne_whenToldToServeItself_does() throws {
        let container = try Container(
            server,
            environment: service.environment.merging(["SUCCESSION_FOREGROUND": "off"]) { $1 })
        #expect(try container.process.line("ready 1 ") == "ready 1 1")
        #expect(try container.others() == [])
    }

    // MARK: Parents that wait for one process

    static let parents: [(name: String, command: @Sendable (String) -> [String])] = [
        ("tini", { ["/usr/bin/tini", "--"] + $0.split(separator: " ").map(String.init) }),
        ("dumb-init", { ["/usr/bin/dumb-init"] + $0.split(separator: " ").map(String.init) }),
        ("sh", { ["/bin/sh", "-c", "\($0); exit $?"] }),
        ("bash", { ["/bin/bash", "-c", "\($0) & wait $!"] }),
        ("tini-sh", { ["/usr/bin/tini", "--", "/bin/sh", "-c", "\($0); exit $?"] }),
    ]

    @Test(arguments: 0..<5)
    func upgrade_belowAParentThatWaitsForOneProcess_isRefused(index: Int) throws {
        let container = try start(Self.parents[index].command(words(server)))
        let run = try upgrade()
        #expect(run.status == .exited(1), "\(run)")
        #expect(run.code == "parent", "\(run)")
        #expect(run.reason.contains("swapctl supervise \(service.name)"), "\(run)")
        #expect(container.isAlive)
        #expect(try EchoClient(port: port).greet() > 0)
    }

    @Test(arguments: 0..<5)
    func upgrade_ofASupervisedServer_staysBelowAnyParent(index: Int) throws {
        let container = try start(Self.parents[index].command(words(supervised)))
        for _ in 1...3 {
            let run = try upgrade()
            #expect(run.status == .exited(0), "\(run)")
            #expect(container.isAlive)
        }
        #expect(try EchoClient(port: port).greet() > 0)
        #expect(try service.swapctl(["stop", service.name]).status == .exited(0))
        #expect(try container.process.waitForExit(within: 20) == .exited(0))
    }

    /// `docker exec`, and a server that was put into the background there: nobody waits for it.
    @Test(arguments: ["", " & exec sleep 0.01"])
    func upgrade_ofAServerStartedByHand_goesOn(inBackground: String) throws {
        let container = try Container(
            ["/usr/bin/tini", "--", "/bin/sh", "-c", "echo up; exec sleep 1000"],
            environment: service.environment)
        _ = try container.process.line("up")
        let one = try container.processOne()
        let byHand = try ChildProcess(
            "/usr/bin/nsenter",
            ["-t", "\(one)", "-p", "-m", "--", "/bin/sh", "-c", words(server) + inBackground],
            environment: service.environment)
        _ = try byHand.line("ready 1 ")
        let run = try upgrade()
        #expect(run.status == .exited(0), "\(run)")
        #expect(container.isAlive)
        #expect(try service.swapctl(["stop", service.name]).status == .exited(0))
    }
}
