// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// Started with standard streams closed, as some supervisors do: what is opened next must not get their
/// numbers, for everybody who logs would write to it.
@Suite(.serialized) struct ClosedStreamsTests {
    @Test(arguments: [[0, 1, 2], [2], [1], [0], [1, 2]])
    func upgrade_ofAServerWithoutStandardStreams_works(closed: [Int32]) throws {
        let service = try TestService()
        let server = try ChildProcess(
            Binaries.sandbox,
            closed.flatMap { ["--close", "\($0)"] } + [
                "--", Binaries.fixture, "serve", "--service",
            ]
                + [service.name, "--listen", "echo=tcp:127.0.0.1:0"],
            environment: service.environment)
        try service.waitUntilServing()
        let port = try service.port("echo")
        try expect(closed, areNullIn: server.processID)
        #expect(try EchoClient(port: port).greet() == server.processID)
        for generation in 2...3 {
            let run = try service.upgradeFixture(["--listen", "echo=tcp:127.0.0.1:0"])
            #expect(run.status == .exited(0), "\(run)")
            #expect(run.generation == generation)
            let successor = try #require(run.pid)
            try expect(closed, areNullIn: successor)
            #expect(try EchoClient(port: port).greet() == successor)
        }
        #expect(try server.waitForExit() == .exited(0))
    }

    private func expect(_ closed: [Int32], areNullIn process: Int32) throws {
        for number in closed {
            let link = "/proc/\(process)/fd/\(number)"
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "/dev/null")
        }
    }

    @Test(arguments: [[0, 1, 2], [1], [2]])
    func swapctl_withoutStandardStreams_upgrades(closed: [Int32]) throws {
        let service = try TestService()
        let old = try service.startFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        let port = try service.port("echo")
        for verb in ["status", "upgrade"] {
            let swapctl = try ChildProcess(
                Binaries.sandbox,
                closed.flatMap { ["--close", "\($0)"] } + [
                    "--", Binaries.swapctl, verb, service.name,
                ],
                environment: service.environment)
            #expect(try swapctl.waitForExit() == .exited(0))
        }
        #expect(try old.waitForExit() == .exited(0))
        #expect(try EchoClient(port: port).greet() != old.processID)
        #expect(try service.servingStatus()["generation"] as? Int == 2)
    }
}
