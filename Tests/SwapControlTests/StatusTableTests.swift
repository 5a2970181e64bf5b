// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SwapControl
import Testing

@Suite struct StatusTableTests {
    @Test func lines_whenOneServesAndOneDrains_saysWhoIsStillHere() throws {
        let report = try report([
            .init(generation: 8, answer: .living(try Self.serving())),
            .init(generation: 7, answer: .living(try Self.draining())),
            .init(generation: 3, answer: .stale),
        ])
        #expect(
            StatusTable.lines(report) == [
                "GEN   PID  STATE          FOR  CONNECTIONS       UPTIME",
                "  8  4377  serving   00:02:11          389     00:02:11",
                "  7  4102  draining  00:00:19            3  1d 01:00:00  leaves within 11 s",
                "  3     -  stale            -            -            -  "
                    + "nobody listens: it ended without cleaning up",
                "",
                "3 listeners of generation 8:",
                "  http  tcp:0.0.0.0:8080  bound       backlog 4096",
                "  -     unix:/run/a b     activation",
                "  and 1 more",
                "",
                "generation 7 still has 3 connections, the oldest first:",
                "  00:10:02  http  10.0.0.1:5555",
                "  and 2 more",
            ])
    }

    @Test func lines_whenUpgradeRuns_saysWhoAsked() throws {
        var message = Self.message(generation: 8, pid: 4377, state: "serving")
        message.add("UPGRADE", 4391)
        message.add("UPGRADE_US", 3_100_000)
        message.add("UPGRADE_BY", 99)
        let status = try #require(GenerationStatus(message))
        let report = try report([.init(generation: 8, answer: .living(status))])
        #expect(
            StatusTable.lines(report).last
                == "an upgrade is running: pid 4391 was started 3.10 s ago, asked for by pid 99")
    }

    @Test func lines_whenSuccessorIsNotStartedYet_saysSo() throws {
        var message = Self.message(generation: 8, pid: 4122, state: "serving")
        message.add("UPGRADE", 0)
        message.add("UPGRADE_US", 200_000)
        let status = try #require(GenerationStatus(message))
        let report = try report([.init(generation: 8, answer: .living(status))])
        #expect(
            StatusTable.lines(report).last
                == "an upgrade is running: asked for 0.20 s ago by a signal, and the successor is not started yet"
        )
    }

    @Test func lines_whenPeerNameHasEscapes_showsThemHarmless() throws {
        var message = Self.message(generation: 1, pid: 2, state: "draining")
        message.add("CONNECTIONS", 1)
        message.addFields("OLDEST", ["1000000", "http", "\u{1B}[31mred"])
        let status = try #require(GenerationStatus(message))
        let report = try report([.init(generation: 1, answer: .living(status))])
        #expect(StatusTable.lines(report).last == "  00:00:01  http  ?[31mred")
    }

    @Test func status_whenGenerationIsMissing_isNoStatus() {
        var message = Message(.status)
        message.add("PID", 1)
        #expect(GenerationStatus(message) == nil)
    }

    @Test func exitCode_whenOnlyStaleSockets_isNoService() throws {
        let report = try report([.init(generation: 3, answer: .stale)])
        #expect(report.exitCode == .noService)
    }

    // MARK: - Answers

    private func report(_ entries: [StatusReport.Entry]) throws -> StatusReport {
        StatusReport(service: try Service.locate("web", runtimeDirectory: "/r"), entries: entries)
    }

    private static func message(generation: Int, pid: Int, state: String) -> Message {
        var message = Message(.status)
        message.add("SERVICE", "web")
        message.add("GENERATION", generation)
        message.add("PID", pid)
        message.add("STATE", state)
        return message
    }

    private static func serving() throws -> GenerationStatus {
        var message = message(generation: 8, pid: 4377, state: "serving")
        message.add("STATE_US", 131_000_000)
        message.add("UPTIME_US", 131_900_000)
        message.add("CONNECTIONS", 389)
        message.add("LISTENERS", 3)
        message.addFields("LISTENER", ["tcp:0.0.0.0:8080", "bound", "4096", "http"])
        message.addFields("LISTENER", ["unix:/run/a b", "activation", "0", "-"])
        return try #require(GenerationStatus(message))
    }

    private static func draining() throws -> GenerationStatus {
        var message = message(generation: 7, pid: 4102, state: "draining")
        message.add("STATE_US", 19_000_000)
        message.add("UPTIME_US", 90_000_000_000)
        message.add("CONNECTIONS", 3)
        message.add("REMAINING_MS", 10_001)
        message.addFields("OLDEST", ["602000000", "http", "10.0.0.1:5555"])
        return try #require(GenerationStatus(message))
    }
}
