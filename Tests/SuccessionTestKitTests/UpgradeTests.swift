// SPDX-License-Identifier: Apache-2.0

import SuccessionTestKit
import SwapControl
import Testing

/// Upgrades of the fixture server, whole ones and ones in which a process is killed.
struct KitUpgradeTests {
    @Test func upgrade_underLoad_losesNothing() async throws {
        let server = try Fixture.server()
        try await server.start()
        let clients = try await server.clients(.fixtureEcho, count: 4)
        // Two generations that were both started by an upgrade are compared.
        #expect(try await server.upgrade().isClean)
        let before = try await server.audit()
        for number in 3...4 {
            let report = try await server.upgrade()
            #expect(report.isClean && report.killed == nil, "\(report)")
            #expect(report.serving?.generation == number)
            #expect(
                report.steps.filter { $0.status == .ok }.map(\.name)
                    == ["start", "offer", "ready", "commit"])
        }
        await clients.next(5)
        let seen = await clients.stop()
        #expect(seen.lost.isEmpty, "\(seen)")
        #expect(seen.requests >= 4 * 6 && seen.connections >= 4)
        let growth = try await server.growth(since: before)
        #expect(growth.isEmpty, "\(growth)")
    }

    @Test func upgrade_whenConnectionsAreCut_countsEach() async throws {
        let server = try Fixture.server("--drain-ms", "0")
        try await server.start()
        let clients = try await server.clients(.fixtureHeld, count: 3)
        let report = try await server.upgrade()
        #expect(report.isCommitted && !report.isClean && report.drain?.cut == 3, "\(report)")
        await clients.next(2)
        let seen = await clients.stop()
        // The request that finds its connection cut; the next one is the successor's.
        #expect(seen.lost.count == 3 && Set(seen.lost.map(\.client)) == [0, 1, 2], "\(seen)")
        #expect(seen.lost.allSatisfy { $0.time > .zero })
        #expect(
            seen.lost.allSatisfy { [.keepAliveClosed, .reset].contains($0.kind) }, "\(seen)")
    }

    @Test func upgrade_whenSuccessorIsKilledBeforeReady_losesNothing() async throws {
        let server = try Fixture.server()
        try await server.start()
        let clients = try await server.clients(.fixtureEcho)
        // It is never ready, so that the signal comes before the commit.
        let report = try await server.upgrade(
            to: .arguments(Fixture.arguments("--fault", "never-ready")),
            killing: .successor, at: .ready)
        #expect(report.failure?.signal == 9 && report.serving == report.predecessor, "\(report)")
        #expect(report.killed != nil && report.killed == report.failure?.successor)
        await clients.next(2)
        let seen = await clients.stop()
        #expect(seen.lost.isEmpty, "\(seen)")
    }

    @Test(arguments: UpgradePhase.allCases)
    func upgrade_whenSuccessorIsKilled_reportsWhoServes(_ phase: UpgradePhase) async throws {
        let server = try Fixture.server()
        try await server.start()
        let report = try await server.upgrade(killing: .successor, at: phase)
        #expect(report.killed != nil && report.killed != report.predecessor.processID, "\(report)")
        // The signal may come after the commit. A successor that is killed after its predecessor has gone leaves nobody.
        if !report.isCommitted { #expect(report.serving == report.predecessor, "\(report)") }
        if let serving = report.serving { #expect(serving.processID != report.killed) }
    }

    @Test func upgrade_whenPredecessorIsKilledInTheDrain_countsItsConnections() async throws {
        let server = try Fixture.server()
        try await server.start()
        let clients = try await server.clients(.fixtureHeld, count: 2)
        let report = try await server.upgrade(killing: .predecessor, at: .drain)
        #expect(report.isCommitted && report.killed == report.predecessor.processID, "\(report)")
        #expect(report.drain?.end == .died && report.serving?.generation == 2, "\(report)")
        await clients.next(2)
        let seen = await clients.stop()
        #expect(seen.lost.count == 2, "\(seen)")
        #expect(try await server.upgrade().isClean)
    }

    @Test func upgrade_whenPredecessorIsKilledBeforeTheOffer_leavesNobody() async throws {
        let server = try Fixture.server()
        try await server.start()
        let clients = try await server.clients(.fixtureEcho, count: 2)
        // The successor ends before it says anything, so that the signal comes before the offer.
        let report = try await server.upgrade(
            to: .arguments(Fixture.arguments("--fault", "exit-at-once")),
            killing: .predecessor, at: .offer)
        #expect(report.killed == report.predecessor.processID && !report.isCommitted, "\(report)")
        #expect(report.serving == nil, "\(report)")
        await clients.next(3)
        let seen = await clients.stop()
        #expect(seen.lost.contains { $0.kind == .refused }, "\(seen)")
        #expect(seen.lost.contains { $0.phase == .offer }, "\(seen)")
    }

    @Test func upgrade_whenSuccessorIsNeverReady_fails() async throws {
        let server = try Fixture.server(limits: .ready(.seconds(1)))
        try await server.start()
        let report = try await server.upgrade(
            to: .arguments(Fixture.arguments("--fault", "never-ready")))
        #expect(report.failure?.code == "timeout", "\(report)")
        #expect(report.serving == report.predecessor && report.drain == nil)
        #expect(report.steps.last.map { $0.name == "ready" && $0.status == .running } == true)
    }

    @Test func upgrade_whenCancelled_throws() async throws {
        let server = try Fixture.server()
        try await server.start()
        let upgrade = Task { () -> TestUpgradeError? in
            do throws(TestUpgradeError) {
                _ = try await server.upgrade(
                    to: .arguments(Fixture.arguments("--fault", "never-ready")))
                return nil
            } catch {
                return error
            }
        }
        upgrade.cancel()
        #expect(await upgrade.value?.code == .cancelled)
    }

    @Test func upgrade_toAnotherProgram_startsIt() async throws {
        let server = try Fixture.server()
        try await server.start()
        let report = try await server.upgrade(
            to: .program("/bin/sh", arguments: ["-c", "echo \"$GREETING\" >&2; exit 7"])
                .environment(["GREETING": "at \(TestUpgrade.port)"]))
        #expect(report.failure?.exitStatus == 7, "\(report)")
        #expect(report.failure?.standardError == ["at \(server.port)"], "\(report)")
    }
}
