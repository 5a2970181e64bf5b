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
        let second = try upgrade(service)
        let targets = [
            "--http", "tcp:127.0.0.1:\(ports[0])", "--http", "tcp:[::1]:\(ports[0])",
            "--http", "unix:\(service.directory)/web.sock",
            "--echo", "tcp:127.0.0.1:\(ports[1])", "--udp", "udp:127.0.0.1:\(ports[2])",
            "--timeout", "10s", "--hold", "200ms", "--rate", "100", "--json",
        ]
        try warmUp(targets)
        let before = try DescriptorAudit(second, withoutConnections: true)
        let memory = try DescriptorAudit.residentKiB(second)

        let load = try ChildProcess(Binaries.load, targets)
        var last = second
        for _ in 3...201 { last = try upgrade(service) }
        load.closeInput()
        let status = try load.waitForExit()
        let report = try #require(
            (try JSONSerialization.jsonObject(with: Data(load.standardOutput.utf8)))
                as? [String: Any])
        #expect(report["failed"] as? Int == 0, "\(load.standardOutput) \(load.standardError)")
        #expect(status == .exited(0))
        #expect((report["generations"] as? [Any])?.count ?? 0 >= 150, "\(report)")

        try warmUp(targets)
        #expect(
            try DescriptorAudit.settles(last, to: before, exactly: true), "held before: \(before)")
        #expect(try DescriptorAudit(last).threads == before.threads)
        #expect(try DescriptorAudit.residentKiB(last) < memory + 8_192)
        #expect(try first.waitForExit() == .exited(0))
        // One process, and none between life and death.
        #expect(DescriptorAudit.processes(mentioning: service.name) == [last])
        #expect(DescriptorAudit.zombies(of: last) == [])
        #expect(service.files() == ["201.sock", "lock", "serving"])
        #expect(try service.swapctl(["stop", service.name]).status == .exited(0))
        #expect(service.files() == ["lock"])
        #expect(!FileManager.default.fileExists(atPath: service.directory + "/web.sock"))
    }

    /// A second of load: a server opens what it opens lazily, and two generations can be compared.
    private func warmUp(_ targets: [String]) throws {
        let load = try ChildProcess(Binaries.load, targets + ["--duration", "1s"])
        #expect(try load.waitForExit() == .exited(0), "\(load.standardOutput)")
    }

    /// Upgrades once, without a connection cut, and returns the pid of the successor.
    private func upgrade(_ service: TestService) throws -> Int32 {
        let run = try service.swapctl(["upgrade", service.name, "--json", "--drain", "20s"])
        try #require(run.status == .exited(0), "\(run)")
        #expect(run.result["cut"] as? Int == 0, "\(run)")
        return try #require(run.pid)
    }
}
