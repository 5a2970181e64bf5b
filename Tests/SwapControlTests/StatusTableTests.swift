// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SwapControl
import Testing

@Suite struct StatusTableTests {
    @Test func lines_whenOneServesAndOneDrains_saysWhoIsStillHere() throws {
        let report = try report([
            .init(generation: 8, answer: .living(Self.serving())),
            .init(generation: 7, answer: .living(Self.draining())),
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
        var status = Self.status(generation: 8, pid: 4377, state: .serving)
        status.upgrade = .init(
            successor: 4391, elapsed: .microseconds(3_100_000), requestedBy: 99)
        let report = try report([.init(generation: 8, answer: .living(GenerationStatus(status)))])
        #expect(
            StatusTable.lines(report).last
                == "an upgrade is running: pid 4391 was started 3.10 s ago, asked for by pid 99")
    }

    @Test func lines_whenSuccessorIsNotStartedYet_saysSo() throws {
        var status = Self.status(generation: 8, pid: 4122, state: .serving)
        status.upgrade = .init(successor: 0, elapsed: .milliseconds(200), requestedBy: nil)
        let report = try report([.init(generation: 8, answer: .living(GenerationStatus(status)))])
        #expect(
            StatusTable.lines(report).last
                == "an upgrade is running: asked for 0.20 s ago by a signal, and the successor is not started yet"
        )
    }

    @Test func lines_whenPeerNameHasEscapes_showsThemHarmless() throws {
        var status = Self.status(generation: 1, pid: 2, state: .draining)
        status.connections = 1
        status.oldest = [.init(age: .seconds(1), proto: "http", peer: "\u{1B}[31mred")]
        let report = try report([.init(generation: 1, answer: .living(GenerationStatus(status)))])
        #expect(StatusTable.lines(report).last == "  00:00:01  http  ?[31mred")
    }

    @Test func status_whenGenerationIsMissing_isNoStatus() throws {
        let message = try Message.decode([UInt8]("SUCCESSION/1 status\nPID=1\n".utf8))
        let error = WireError.missing(key: "GENERATION", of: .status)
        #expect(ControlAnswer.Arrival(message) == .answer(.malformed(error)))
    }

    @Test func exitCode_whenOnlyStaleSockets_isNoService() throws {
        let report = try report([.init(generation: 3, answer: .stale)])
        #expect(report.exitCode == .noService)
    }

    // MARK: - Answers

    private func report(_ entries: [StatusReport.Entry]) throws -> StatusReport {
        StatusReport(service: try Service.locate("web", runtimeDirectory: "/r"), entries: entries)
    }

    private static func status(generation: Int, pid: Int32, state: StateWord) -> Wire.Status {
        var status = Wire.Status(generation: generation, processID: pid, state: state)
        status.service = "web"
        return status
    }

    private static func serving() -> GenerationStatus {
        var status = status(generation: 8, pid: 4377, state: .serving)
        status.stateTime = .seconds(131)
        status.uptime = .milliseconds(131_900)
        status.connections = 389
        status.listenerCount = 3
        status.listeners = [
            ManifestEntry(what: "tcp:0.0.0.0:8080", origin: .bound, backlog: 4_096, name: "http"),
            ManifestEntry(what: "unix:/run/a b", origin: .activation, backlog: 0, name: ""),
        ]
        return GenerationStatus(status)
    }

    private static func draining() -> GenerationStatus {
        var status = status(generation: 7, pid: 4102, state: .draining)
        status.stateTime = .seconds(19)
        status.uptime = .seconds(90_000)
        status.connections = 3
        status.remaining = .milliseconds(10_001)
        status.oldest = [.init(age: .seconds(602), proto: "http", peer: "10.0.0.1:5555")]
        return GenerationStatus(status)
    }
}
