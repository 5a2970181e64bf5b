// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import SystemPackage
import Testing

/// A successor that dies once it has taken over, while its predecessor still drains: right after an
/// upgrade is when a new release dies.
@Suite(.serialized) struct SuccessorDiesTests {
    private let listen = ["--listen", "echo=tcp:127.0.0.1:0"]

    /// An upgraded service whose first generation drains for as long as `kept` is open.
    private struct Upgraded {
        let service: TestService
        let old: ChildProcess
        let port: UInt16
        let kept: EchoClient
        let successor: ProcessHandle
    }

    private func upgraded(
        _ program: String = Binaries.fixture, faulty fault: [String] = []
    ) throws -> Upgraded {
        let service = try TestService()
        let old = try ChildProcess(
            program, ["serve", "--service", service.name] + listen + fault,
            environment: service.environment)
        _ = try old.line("ready 1 ")
        let port = try service.port("echo")
        let kept = try EchoClient(port: port)
        #expect(try kept.greet() == old.processID)
        let run = try service.upgradeFixture(listen, swapctl: ["--detach"])
        #expect(run.status == .exited(0), "\(run)")
        let successor = try ProcessHandle.open(try #require(run.pid))
        #expect(try EchoClient(port: port).greet() == successor.processID)
        return Upgraded(service: service, old: old, port: port, kept: kept, successor: successor)
    }

    private func expectRescued(_ upgraded: Upgraded) throws {
        let started = Syscall.monotonicNanoseconds()
        try upgraded.successor.signal(Signals.kill)
        let client = try EchoClient(port: upgraded.port)
        let rescuer = try client.greet()
        print("served again \((Syscall.monotonicNanoseconds() - started) / 1_000_000) ms later")
        #expect(rescuer != upgraded.old.processID)
        #expect(rescuer != upgraded.successor.processID)
        #expect(try upgraded.kept.exchange("still served") == "still served")
        _ = try upgraded.old.errorLine("\(upgraded.service.name)[1] generation 2 (pid \(rescuer))")
        let status = try upgraded.service.servingStatus()
        #expect(status["pid"] as? Int == Int(rescuer))
        #expect(status["generation"] as? Int == 2)
        try upgraded.kept.closeForWriting()
        #expect(try upgraded.old.waitForExit() == .exited(0))
        #expect(try client.exchange("served on") == "served on")
        #expect(upgraded.service.files() == ["2.sock", "lock", "serving"])
    }

    @Test func successor_thatIsKilled_isReplacedByTheOldProgram() throws {
        let upgraded = try upgraded()
        try expectRescued(upgraded)
        let next = try upgraded.service.swapctl(["upgrade", upgraded.service.name, "--json"])
        #expect(next.status == .exited(0), "\(next)")
        #expect(next.generation == 3)
        #expect(try EchoClient(port: upgraded.port).greet() == next.pid)
    }

    /// What lies by now where the old program was started is the new one, which has just died.
    ///
    /// The next upgrade takes it from there all the same.
    @Test func successor_thatIsKilled_isReplacedByTheOldProgramWhateverLiesInItsPlace() throws {
        let directory = NSTemporaryDirectory() + "/succession-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let program = directory + "/server"
        let binary = URL(filePath: Binaries.fixture).resolvingSymlinksInPath().path
        guard link(binary, program) == 0 else { throw Errno(rawValue: errno) }
        let upgraded = try upgraded(program)
        try FileManager.default.removeItem(atPath: program)
        try Data("#!/bin/sh\nexit 7\n".utf8).write(to: URL(filePath: program))
        #expect(chmod(program, 0o755) == 0)
        try expectRescued(upgraded)
        let next = try upgraded.service.swapctl(["upgrade", upgraded.service.name, "--json"])
        #expect(next.result["exit"] as? Int == 7, "\(next)")
        try FileManager.default.removeItem(atPath: program)
        #expect(link(binary, program) == 0)
        let good = try upgraded.service.swapctl(["upgrade", upgraded.service.name, "--json"])
        #expect(good.status == .exited(0), "\(good)")
    }

    /// Nobody is to wait in a queue from which nobody will take.
    @Test(arguments: [Signals.terminate, Signals.interrupt])
    func successor_thatIsToldToLeave_isNotReplaced(signal: CInt) throws {
        let upgraded = try upgraded()
        try upgraded.successor.signal(signal)
        #expect(upgraded.successor.waitForExit(deadline: seconds(20)))
        try expectRefused(upgraded.port)
        #expect(try upgraded.kept.exchange("still served") == "still served")
        try upgraded.kept.closeForWriting()
        #expect(try upgraded.old.waitForExit() == .exited(0))
        #expect(upgraded.service.files() == ["lock"])
    }

    /// A successor that has a successor of its own is none any more.
    @Test func successor_thatDiesWhileItDrainsItself_isNotReplaced() throws {
        let upgraded = try upgraded()
        let held = try EchoClient(port: upgraded.port)
        #expect(try held.greet() == upgraded.successor.processID)
        let third = try upgraded.service.upgradeFixture(listen, swapctl: ["--detach"])
        #expect(third.status == .exited(0), "\(third)")
        try upgraded.successor.signal(Signals.kill)
        #expect(upgraded.successor.waitForExit(deadline: seconds(20)))
        #expect(try EchoClient(port: upgraded.port).greet() == third.pid)
        try upgraded.kept.closeForWriting()
        #expect(try upgraded.old.waitForExit() == .exited(0))
        #expect(!upgraded.old.standardError.contains("in its place"))
        #expect(try EchoClient(port: upgraded.port).greet() == third.pid)
    }

    /// The old program fails too: three times, and then clients are refused.
    @Test func successor_thatCannotBeReplaced_leavesNobodyWaiting() throws {
        let upgraded = try upgraded(faulty: ["--fault", "kill:send taken"])
        try upgraded.successor.signal(Signals.kill)
        _ = try upgraded.old.errorLine("\(upgraded.service.name)[1] error: nobody serves")
        try expectRefused(upgraded.port)
        #expect(try upgraded.kept.exchange("still served") == "still served")
        #expect(DescriptorAudit.zombies(of: upgraded.old.processID) == [])
        try upgraded.kept.closeForWriting()
        #expect(try upgraded.old.waitForExit() == .exited(0))
    }

    /// Told to leave in the middle of it, the old generation starts nobody: a service that is stopped
    /// stays stopped.
    @Test(arguments: ["SIGTERM", "stop", "drain"])
    func predecessor_thatIsToldToLeave_callsTheReplacementOff(how: String) throws {
        let held = try TestService()
        let fifo = try Fifo(in: held.directory)
        let upgraded = try upgraded(faulty: ["--fault", "hold:send taken:\(fifo.path)"])
        try upgraded.successor.signal(Signals.kill)
        try fifo.waitUntilReached()
        var swapctl: ChildProcess?
        switch how {
        case "SIGTERM": try upgraded.old.handle.signal(Signals.terminate)
        case "stop": swapctl = try upgraded.service.startSwapctl(["stop", upgraded.service.name])
        default:
            swapctl = try upgraded.service.startSwapctl(
                ["drain", upgraded.service.name, "--generation", "1", "--deadline", "20s"])
        }
        _ = try upgraded.old.errorLine(
            "\(upgraded.service.name)[1] error: nobody serves: generation 1 was told to leave")
        try expectRefused(upgraded.port)
        if how != "stop" { try upgraded.kept.closeForWriting() }
        #expect(try upgraded.old.waitForExit() == .exited(0))
        if let swapctl {
            let status = try swapctl.waitForExit(within: 20)
            #expect(status == .exited(0), "\(swapctl.standardOutput)\(swapctl.standardError)")
        }
        #expect(upgraded.service.files() == ["lock"])
        withExtendedLifetime(fifo) {}
    }

    @Test func predecessor_thatWasToldToLeave_replacesNobody() throws {
        let upgraded = try upgraded()
        try upgraded.old.handle.signal(Signals.terminate)
        _ = try upgraded.old.errorLine("\(upgraded.service.name)[1] signal 15: drain")
        try upgraded.successor.signal(Signals.kill)
        try expectRefused(upgraded.port)
        #expect(try upgraded.kept.exchange("still served") == "still served")
        try upgraded.kept.closeForWriting()
        #expect(try upgraded.old.waitForExit() == .exited(0))
        #expect(upgraded.service.files() == ["lock"])
    }

    /// With nothing left to finish a predecessor is gone, and somebody else has to see to it.
    @Test func predecessor_thatHasDrained_keepsNothing() throws {
        let upgraded = try upgraded()
        try upgraded.kept.closeForWriting()
        #expect(try upgraded.old.waitForExit() == .exited(0))
        #expect(try EchoClient(port: upgraded.port).greet() == upgraded.successor.processID)
    }

    private func expectRefused(_ port: UInt16) throws {
        let deadline = seconds(10)
        while true {
            do {
                _ = try EchoClient(port: port)
            } catch let error as Errno where error == .connectionRefused {
                return
            } catch Errno.connectionReset {
                // It was in the queue when the listener was closed.
            }
            try #require(Syscall.monotonicNanoseconds() < deadline, "still accepted")
        }
    }

    private func seconds(_ count: UInt64) -> UInt64 {
        Syscall.monotonicNanoseconds() + count * 1_000_000_000
    }
}
