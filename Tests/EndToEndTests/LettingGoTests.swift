// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// What a generation inherited is its own until it hands it on, and not a moment longer.
@Suite(.serialized) struct LettingGoTests {
    private let listen = ["--listen", "echo=tcp:127.0.0.1:0"]

    /// The second generation drains for an hour, if need be; the third one is told to leave.
    @Test func lock_onceHandedOn_isNotHeldByOneThatInheritedIt() throws {
        let service = try TestService()
        let first = try service.startFixture(listen)
        let second = try service.upgradeFixture(listen)
        #expect(second.status == .exited(0), "\(second)")
        #expect(try first.waitForExit() == .exited(0))
        let client = try EchoClient(port: try service.port("echo"))
        #expect(try client.greet() == second.pid)

        let third = try service.upgradeFixture(listen, swapctl: ["--detach", "--drain", "1h"])
        #expect(third.status == .exited(0), "\(third)")
        let last = try ProcessHandle.open(try #require(third.pid))
        try last.signal(Signals.terminate)
        #expect(last.waitForExit(deadline: Syscall.monotonicNanoseconds() + 10_000_000_000))

        let anew = try ChildProcess(
            Binaries.fixture, ["serve", "--service", service.name] + listen,
            environment: service.environment)
        _ = try anew.line("ready 3 ")
        #expect(try EchoClient(port: try service.port("echo")).greet() == anew.processID)
        #expect(try client.exchange("still here") == "still here")
    }

    @Test func state_onceTheSuccessorServes_occupiesNoMemory() throws {
        let service = try TestService()
        let options = listen + ["--state-size", "\(1 << 20)"]
        let old = try service.startFixture(options)
        let run = try service.upgradeFixture(options)
        #expect(run.status == .exited(0), "\(run)")
        #expect(try old.waitForExit() == .exited(0))
        let held = try DescriptorAudit(try #require(run.pid)).kinds.keys
        #expect(held.filter { $0.contains("succession-state") } == [], "\(held)")
    }
}
