// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// Kernels and sandboxes that refuse something, one row each: an upgrade works by another way, or it
/// fails with an error that names what was refused, and the predecessor serves on.
@Suite(.serialized) struct SandboxMatrixTests {
    @Test(arguments: SandboxRow.matrix.filter(\.shut.isPossible))
    func upgrade_whereSomethingIsRefused_worksOrIsToldWhy(row: SandboxRow) throws {
        try check(row, ShutService(row.shut))
    }

    /// A program that its user may execute and not read is hidden from all but itself, and there are no
    /// pidfds: only waiting for it, and kill(2), tell that it lives.
    @Test(.enabled(if: SandboxRow.unseen.shut.isPossible))
    func upgrade_whereNothingShowsTheSuccessor_works() throws {
        let shut = try ShutService(SandboxRow.unseen.shut)
        try shut.hideProgram()
        try check(SandboxRow.unseen, shut)
    }

    /// A descriptor whose number is above the limit, from before that was lowered: without close_range(2)
    /// too it is not handed on.
    @Test func upgrade_withoutCloseRange_handsNothingOnAboveTheLimit() throws {
        let shut = try ShutService(
            Shut("--answer", "close_range=ENOSYS", "--limit", "nofile=64"))
        let stray = try MemoryFile.create(name: "stray", allowSealing: false)
        try shut.start(passing: [(source: stray.rawValue, target: 200)])
        #expect(try DescriptorAudit(shut.first).count { $0.contains("stray") } == 1)
        let run = try shut.upgrade()
        #expect(run.status == .exited(0), "\(run)")
        #expect(try DescriptorAudit(try #require(run.pid)).count { $0.contains("stray") } == 0)
    }

    private func check(_ row: SandboxRow, _ shut: ShutService) throws {
        try shut.start()
        let old = try shut.outside(shut.first)
        var kept: EchoClient? = try EchoClient(port: shut.port)
        #expect(try kept?.greet() == shut.first)
        #expect(try kept?.exchange("served") == "served")
        let before = try DescriptorAudit(old, withoutConnections: true).withTimer

        // The other way has to end a successor as well as the usual one does.
        let failed = try shut.upgrade(["--fault", "never-ready"], swapctl: ["--timeout", "500ms"])
        #expect(failed.status == .exited(1), "\(failed)")
        // In a pid namespace of its own the server's number means nothing to swapctl.
        #expect(failed.pid == (old == shut.first ? shut.first : nil), "\(failed)")
        #expect(try kept?.exchange("still served") == "still served")
        #expect(try EchoClient(port: shut.port).greet() == shut.first)
        #expect(shut.servers() == [old], "\(shut.log)")
        #expect(DescriptorAudit.zombies(of: old) == [])
        #expect(shut.service.files() == ["1.sock", "lock", "serving"])
        #expect(try DescriptorAudit.settles(old, to: before), "held before: \(before.kinds)")

        switch row.outcome {
        case .fails(let code, let reason):
            #expect(failed.code == code, "\(failed)")
            #expect(failed.reason.contains(reason), "\(failed)")
        case .works(let warning):
            #expect(failed.code == "timeout", "\(failed)")
            if let warning {
                _ = try shut.started?.errorLine("\(shut.service.name)[1] warning: \(warning)")
            }
            try upgradeTwice(shut, old, &kept, before)
        }

        #expect(try shut.swapctl(["stop", shut.service.name]).status == .exited(0))
        #expect(shut.servers() == [])
        #expect(shut.service.files() == ["lock"])
    }

    /// The second time a successor is the predecessor: it holds as much as the first did.
    private func upgradeTwice(
        _ shut: ShutService, _ old: Int32, _ kept: inout EchoClient?, _ before: DescriptorAudit
    ) throws {
        var predecessor = old
        for generation in 2...3 {
            let good = try shut.upgrade()
            try #require(good.status == .exited(0), "\(good) \(shut.log)")
            #expect(good.generation == generation)
            let next = try EchoClient(port: shut.port)
            let number = try next.greet()
            let successor = try shut.outside(number)
            #expect(good.pid == (successor == number ? number : nil), "\(good)")
            // What the predecessor has begun it finishes.
            #expect(try kept?.exchange("to the end") == "to the end")
            kept = next
            try shut.awaitEnd(predecessor)
            #expect(shut.servers() == [successor])
            #expect(shut.service.files() == ["\(generation).sock", "lock", "serving"])
            #expect(try DescriptorAudit.settles(successor, to: before), "\(before)")
            predecessor = successor
        }
        kept = nil
    }
}
