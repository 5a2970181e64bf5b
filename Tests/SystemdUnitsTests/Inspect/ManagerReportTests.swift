// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionProtocol
import SwapControl
import SystemdUnits
import Testing

@Suite struct ManagerReportTests {
    @Test func lines_whenManagerAnswered_showWhatItWatches() throws {
        let report = try #require(
            try asking(
                """
                echo ActiveState=active
                echo SubState=running
                echo MainPID=$PPID
                echo Type=notify
                echo NotifyAccess=all
                echo WatchdogUSec=10s
                echo NFileDescriptorStore=2
                echo FileDescriptorStoreMax=64
                echo ExecReload={ swapctl upgrade --detach web }
                """))
        #expect(
            report.lines == [
                "", "web.service: active (running), main pid \(getpid())",
                "  Type=notify, NotifyAccess=all, watchdog after 10.00 s, 2 of at most 64 descriptors stored",
            ] + report.warnings.map { "  warning: \($0.sentence)" })
        #expect(report.warnings.map(\.code).contains("notifyaccess"))
        guard case .object(let json) = JSONValue.manager(report, service: "web") else {
            Issue.record("no object")
            return
        }
        #expect(json["stored"] == .integer(2))
        #expect(json["watchdog_us"] == .integer(10_000_000))
        #expect(json["main_pid"] == .integer(Int(getpid())))
    }

    @Test func ask_whenNoUnitIsNamed_runsNothing() throws {
        #expect(try asking("exit 1", unit: nil) == nil)
    }

    @Test func ask_whenToolFails_saysWhatItSaid() throws {
        let report = try #require(try asking("echo 'Failed to connect to bus: none' >&2; exit 1"))
        #expect(report.failure == "systemctl failed: Failed to connect to bus: none")
        #expect(report.lines.last?.contains("Failed to connect to bus") == true)
        #expect(report.warnings == [])
    }

    @Test func ask_whenToolIsMissing_saysSo() throws {
        let report = try ManagerReport.ask(
            status("web.service"), tool: "no-such-tool-here", patience: .seconds(2))
        #expect(try #require(report).failure == "there is no systemctl here")
    }

    @Test func ask_whenUnitIsNotKnown_saysSo() throws {
        let report = try #require(try asking("echo LoadState=not-found"))
        #expect(report.failure == "the manager that was asked does not know it")
    }

    /// The helper process holds the pipe open until it is killed.
    @Test func ask_whenToolHangs_endsItAndSaysSo() throws {
        let start = ContinuousClock.now
        let report = try #require(
            try asking("echo MainPID=1; exec sleep 1000", patience: .milliseconds(200)))
        #expect(report.failure == "systemctl did not answer within 0.20 s")
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    @Test(arguments: [
        ("0", 0), ("45s", 45_000_000), ("1min 30s", 90_000_000), ("250ms", 250_000),
        ("2h 1us", 7_200_000_001), ("infinity", nil), ("", nil), ("1x", nil),
    ])
    func time_whenShown_isRead(text: String, microseconds: Int?) {
        #expect(UnitProperties("T=\(text)").time("T") == microseconds)
    }

    // MARK: -

    /// A script takes the place of systemctl; the generation is this process, which is the script's parent.
    private func asking(
        _ script: String, unit: String? = "web.service", patience: Duration = .seconds(10)
    ) throws -> ManagerReport? {
        let path = FileManager.default.temporaryDirectory
            .appending(path: "succession-systemctl-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        // Written by another process: a child that another test starts here would inherit the open file, and a file
        // that is open for writing cannot be executed.
        let writer = Process()
        writer.executableURL = URL(filePath: "/bin/sh")
        writer.arguments = [
            "-c", #"printf '%s' "$1" >"$0" && chmod 755 "$0""#, path, "#!/bin/sh\n\(script)\n",
        ]
        try writer.run()
        writer.waitUntilExit()
        return try ManagerReport.ask(status(unit), tool: path, patience: patience)
    }

    private func status(_ unit: String?) throws -> StatusReport {
        var status = Wire.Status(generation: 1, processID: getpid(), state: .serving)
        status.unit = unit.map { .init(name: $0, isOfUser: false) }
        return StatusReport(
            service: try Service.locate("web", runtimeDirectory: "/r"),
            entries: [.init(generation: 1, answer: .living(GenerationStatus(status)))])
    }
}
