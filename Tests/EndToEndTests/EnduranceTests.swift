// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// Many upgrades in a row, under load on every kind of listener at once.
@Suite(.serialized) struct EnduranceTests {
    private func options(_ service: TestService, ports: [UInt16]) -> [String] {
        [
            "--service", service.name,
            "--http", "tcp:127.0.0.1:\(ports[0])",
            "--http", "tcp:[::1]:\(ports[0])",
            "--http", "unix:\(service.directory)/web.sock",
            "--echo", "tcp:127.0.0.1:\(ports[1])",
            "--udp", "udp:127.0.0.1:\(ports[2])",
        ]
    }

    /// pg_doorman#264 (descriptors), einhorn#64, and the promise itself.
    @Test func upgrades_twoHundredUnderLoad_loseNothingAndLeakNothing() throws {
        let service = try TestService()
        let ports = try (0..<3).map { _ in try FreePort.find() }
        let first = try ChildProcess(
            Binaries.web, options(service, ports: ports), environment: service.environment)
        try service.waitUntilServing()
        let load = try ChildProcess(
            Binaries.load,
            [
                "--http", "tcp:127.0.0.1:\(ports[0])", "--http", "tcp:[::1]:\(ports[0])",
                "--http", "unix:\(service.directory)/web.sock",
                "--echo", "tcp:127.0.0.1:\(ports[1])", "--udp", "udp:127.0.0.1:\(ports[2])",
                "--timeout", "10s", "--hold", "200ms", "--rate", "100", "--json",
            ])

        var second: Resources?
        var last = first.processID
        for number in 2...201 {
            let run = try service.swapctl(
                ["upgrade", service.name, "--json", "--drain", "20s"], within: 60)
            try #require(run.status == .exited(0), "upgrade \(number): \(run)")
            #expect(run.result["cut"] as? Int == 0, "\(run)")
            last = try #require(run.pid)
            if number == 2 { second = try Resources(last) }
        }
        let end = try Resources(last)

        load.closeInput()
        let status = try load.waitForExit()
        let report = try #require(
            (try JSONSerialization.jsonObject(with: Data(load.standardOutput.utf8)))
                as? [String: Any])
        #expect(report["failed"] as? Int == 0, "\(load.standardOutput) \(load.standardError)")
        #expect(status == .exited(0))
        #expect((report["generations"] as? [Any])?.count ?? 0 >= 150, "\(report)")

        let start = try #require(second)
        #expect(end.idle.kinds == start.idle.kinds)
        #expect(end.idle.threads == start.idle.threads)
        #expect(end.residentKiB < start.residentKiB + 8_192)
        #expect(try first.waitForExit() == .exited(0))
        // One process, and none between life and death.
        #expect(DescriptorAudit.processes(mentioning: service.name) == [last])
        #expect(DescriptorAudit.zombies(of: last) == [])
        #expect(service.files() == ["201.sock", "lock", "serving"])
        #expect(try service.swapctl(["stop", service.name]).status == .exited(0))
        #expect(service.files() == ["lock"])
        #expect(!FileManager.default.fileExists(atPath: service.directory + "/web.sock"))
    }

    /// What a generation holds apart from the connections of the moment.
    private struct Resources {
        let idle: DescriptorAudit
        let residentKiB: Int

        init(_ processID: Int32) throws {
            idle = try DescriptorAudit(processID, withoutConnections: true)
            residentKiB = try DescriptorAudit.residentKiB(processID)
        }
    }
}
