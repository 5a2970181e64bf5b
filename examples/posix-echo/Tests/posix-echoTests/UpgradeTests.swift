// SPDX-License-Identifier: Apache-2.0

import SuccessionTestKit
import Testing

struct UpgradeTests {
    // snippet upgrade
    /// The server, started on a free port and in a runtime directory of its own.
    func startedServer() async throws -> TestUpgrade {
        let server = try TestUpgrade(
            of: TestUpgrade.builtProgram("posix-echo"),
            arguments: ["--service", "echo", "--listen", "tcp:127.0.0.1:\(TestUpgrade.port)"])
        try await server.start()
        return server
    }

    @Test func anUpgradeLosesNothing() async throws {
        let server = try await startedServer()
        let clients = try await server.clients(.tcp(echo: "ping", greeting: true), count: 8)
        let report = try await server.upgrade()
        await clients.next(5)
        let seen = await clients.stop()
        #expect(report.isClean, "\(report)")
        #expect(seen.lost.isEmpty, "\(seen)")
    }

    @Test func aSuccessorThatDiesChangesNothing() async throws {
        let server = try await startedServer()
        let clients = try await server.clients(.tcp(echo: "ping", greeting: true))
        let report = try await server.upgrade(killing: .successor, at: .start)
        let seen = await clients.stop()
        #expect(report.killed != nil && report.serving != nil, "\(report)")
        #expect(seen.lost.isEmpty, "\(seen)")
    }
    // end upgrade

    @Test func severalUpgradesLeaveNoDescriptorsBehind() async throws {
        let server = try await startedServer()
        // A generation that was started by an upgrade is compared with another one.
        #expect(try await server.upgrade().isClean)
        let before = try await server.audit()
        for _ in 0..<3 { #expect(try await server.upgrade().isClean) }
        let growth = try await server.growth(since: before)
        #expect(growth.isEmpty, "\(growth)")
    }
}
