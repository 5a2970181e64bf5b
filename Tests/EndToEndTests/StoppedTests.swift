// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// Processes that stand still in the middle of an upgrade and go on: under a debugger, in a frozen
/// control group, after `docker pause`.
///
/// In each case one generation serves in the end, and no connection is lost but those of a process
/// that was killed.
@Suite(.serialized) struct StoppedTests {
    private static let ofPredecessor = [
        "received hello", "send offer", "received taken", "received ready", "pausing", "committed",
        "send committed", "received accepting",
    ]
    private static let ofSuccessor = [
        "send hello", "received offer", "send taken", "send ready", "received committed",
        "starting to accept", "send accepting",
    ]
    /// Longer than any deadline of a hand-over.
    private static let tooLong = 16.5

    private func upgrades(timeout: String) throws -> [StoppedUpgrade] {
        try Self.ofPredecessor.map { try StoppedUpgrade(.predecessor, at: $0, timeout: timeout) }
            + Self.ofSuccessor.map { try StoppedUpgrade(.successor, at: $0, timeout: timeout) }
    }

    private func expectCommitted(_ upgrade: StoppedUpgrade) throws {
        let (run, serving) = try upgrade.outcome()
        #expect(run.status == .exited(0), "\(upgrade.side) at \(upgrade.step): \(run)")
        #expect(serving == run.pid, "\(upgrade.side) at \(upgrade.step): \(run)")
        #expect(serving != upgrade.old.processID)
        #expect(try upgrade.client.exchange("still served") == "still served")
    }

    private func expectUnchanged(_ upgrade: StoppedUpgrade) throws {
        let (run, serving) = try upgrade.outcome()
        #expect(run.status == .exited(1), "\(upgrade.side) at \(upgrade.step): \(run)")
        #expect(run.code == "timeout", "\(upgrade.side) at \(upgrade.step): \(run)")
        #expect(
            // The others had to come to their steps first.
            run.reason.contains("this process itself stood still for 1")
                == (upgrade.side == .predecessor), "\(upgrade.side) at \(upgrade.step): \(run)")
        #expect(serving == upgrade.old.processID, "\(upgrade.side) at \(upgrade.step): \(run)")
        #expect(try upgrade.client.exchange("still served") == "still served")
    }

    /// What killed the successor that served meanwhile: the deadline for its `accepting`, which lay
    /// in the channel unread.
    @Test(arguments: [1, 6.5])
    func predecessor_stoppedAfterCommitted_leavesTheSuccessorAlone(seconds: Double) throws {
        let service = try TestService()
        let fifo = try Fifo(in: service.directory)
        let listen = ["--listen", "echo=tcp:127.0.0.1:0"]
        let old = try service.startFixture(listen)
        let port = try service.port("echo")
        let kept = try EchoClient(port: port)
        #expect(try kept.greet() == old.processID)
        let swapctl = try service.startSwapctl(
            [
                "upgrade", service.name, "--json", "--detach", "--", Binaries.fixture, "serve",
                "--service", service.name,
            ] + listen + ["--fault", "hold:received committed:\(fifo.path)"])
        try fifo.waitUntilReached()
        try old.stop()
        fifo.release()
        let client = try EchoClient(port: port)
        let successor = try client.greet()
        #expect(successor != old.processID)
        pass(seconds: seconds)
        try old.handle.signal(Signals.proceed)
        #expect(try swapctl.waitForExit() == .exited(0), "\(swapctl.standardOutput)")
        #expect(try client.exchange("served on") == "served on")
        #expect(try kept.exchange("still served") == "still served")
        #expect(try EchoClient(port: port).greet() == successor)
    }

    /// Told to leave while it stands still, of a predecessor whose successor serves: it drains.
    @Test func predecessor_toldToLeaveWhileStopped_leavesTheSuccessorAlone() throws {
        let service = try TestService()
        let fifo = try Fifo(in: service.directory)
        let listen = ["--listen", "echo=tcp:127.0.0.1:0"]
        let old = try service.startFixture(listen)
        let port = try service.port("echo")
        let swapctl = try service.startSwapctl(
            [
                "upgrade", service.name, "--json", "--detach", "--", Binaries.fixture, "serve",
                "--service", service.name,
            ] + listen + ["--fault", "hold:received committed:\(fifo.path)"])
        try fifo.waitUntilReached()
        try old.stop()
        try old.handle.signal(Signals.terminate)
        fifo.release()
        let client = try EchoClient(port: port)
        let successor = try client.greet()
        #expect(successor != old.processID)
        try old.handle.signal(Signals.proceed)
        #expect(try swapctl.waitForExit() == .exited(0), "\(swapctl.standardOutput)")
        #expect(try old.waitForExit() == .exited(0))
        #expect(try client.exchange("served on") == "served on")
    }

    @Test func eitherSide_stoppedForASecondAtAnyStep_upgradeIsDone() throws {
        let upgrades = try upgrades(timeout: "20s")
        for upgrade in upgrades { try upgrade.waitUntilStopped() }
        pass(seconds: 1)
        for upgrade in upgrades { try upgrade.goOn() }
        for upgrade in upgrades { try expectCommitted(upgrade) }
    }

    /// The other side gives up, but where all is done but the last word.
    @Test func eitherSide_stoppedForLongerThanAnyDeadline_oneGenerationServes() throws {
        let upgrades = try upgrades(timeout: "3s")
        for upgrade in upgrades { try upgrade.waitUntilStopped() }
        pass(seconds: Self.tooLong)
        for upgrade in upgrades { try upgrade.goOn() }
        for upgrade in upgrades {
            if upgrade.step == "received accepting" {
                try expectCommitted(upgrade)
            } else {
                try expectUnchanged(upgrade)
            }
        }
    }

    /// A machine that is suspended, a container that is paused: nobody has been slow.
    @Test func bothSides_stoppedForLongerThanAnyDeadline_upgradeIsDone() throws {
        let upgrades = try Self.ofSuccessor.map {
            try StoppedUpgrade(.successor, at: $0, timeout: "3s")
        }
        for upgrade in upgrades {
            try upgrade.waitUntilStopped()
            try upgrade.old.stop()
        }
        pass(seconds: Self.tooLong)
        for upgrade in upgrades {
            try upgrade.old.handle.signal(Signals.proceed)
            try upgrade.goOn()
        }
        for upgrade in upgrades { try expectCommitted(upgrade) }
    }

    /// It was killed, and sleeps in the kernel.
    @Test func successor_thatDoesNotEndWhenKilled_isNotWaitedFor() throws {
        let upgrade = try StoppedUpgrade(.successor, at: "starting to accept")
        let before = try DescriptorAudit(upgrade.old.processID, withoutConnections: true)
        let successor = try upgrade.waitUntilStopped()
        let tracer = try Tracer(successor)
        let (run, serving) = try upgrade.outcome()
        #expect(run.code == "timeout", "\(run)")
        #expect(run.reason.contains("SIGKILL has not ended it"), "\(run)")
        #expect(serving == upgrade.old.processID)
        #expect(try ProcessHandle.open(successor).isAlive())
        // Neither it nor its number is in the way of the next one.
        let next = try upgrade.service.upgradeFixture(
            ["--listen", "echo=tcp:127.0.0.1:0", "--fault", "refuse"])
        #expect(next.code == "state", "\(next)")
        try tracer.release()
        #expect(try DescriptorAudit.settles(upgrade.old.processID, to: before))
        #expect(DescriptorAudit.zombies(of: upgrade.old.processID) == [])
        let good = try upgrade.service.upgradeFixture(
            ["--listen", "echo=tcp:127.0.0.1:0"], swapctl: ["--detach"])
        #expect(good.status == .exited(0), "\(good)")
    }

    @Test(arguments: [1, 16.5])
    func operator_stopped_upgradeGoesOnAndIsToldOf(seconds: Double) throws {
        let service = try TestService()
        let fifo = try Fifo(in: service.directory)
        let listen = ["--listen", "echo=tcp:127.0.0.1:0"]
        let old = try service.startFixture(listen)
        let port = try service.port("echo")
        let swapctl = try service.startSwapctl(
            [
                "upgrade", service.name, "--json", "--timeout", "3s", "--", Binaries.fixture,
                "serve", "--service", service.name,
            ] + listen + ["--fault", "hold:send ready:\(fifo.path)"])
        try fifo.waitUntilReached()
        try swapctl.stop()
        fifo.release()
        #expect(try old.waitForExit() == .exited(0))
        pass(seconds: seconds)
        try swapctl.handle.signal(Signals.proceed)
        #expect(try swapctl.waitForExit() == .exited(0), "\(swapctl.standardOutput)")
        let run = SwapctlRun(
            status: .exited(0), standardOutput: swapctl.standardOutput, standardError: "")
        #expect(try EchoClient(port: port).greet() == run.pid)
    }
}
