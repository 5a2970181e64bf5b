// SPDX-License-Identifier: Apache-2.0

import SuccessionTestKit
import Testing

/// The test kit against a real HTTP server, in its release build.
struct TestKitTests {
    @Test func upgrade_ofAWebServer_losesNoRequest() async throws {
        let server = try TestUpgrade(
            of: Binaries.web,
            arguments: [
                "--service", "web", "--http", "tcp:127.0.0.1:\(TestUpgrade.port)",
                "--http", "unix:\(TestUpgrade.directory)/web.sock",
            ])
        try await server.start()
        let overTCP = try await server.clients(.http("/"), count: 3)
        let overUnix = try await server.clients(
            .http("/", requestsPerConnection: 10), count: 2,
            to: "unix:\(TestUpgrade.directory)/web.sock")
        for _ in 0..<3 {
            let report = try await server.upgrade()
            #expect(report.isClean, "\(report)")
            await overTCP.next(5)
        }
        for clients in [overTCP, overUnix] {
            let seen = await clients.stop()
            #expect(seen.lost.isEmpty && seen.requests > 15, "\(seen)")
        }
    }

    @Test func aPathThatIsNotThere_isALoss() async throws {
        let server = try TestUpgrade(
            of: Binaries.web,
            arguments: ["--service", "web", "--http", "tcp:127.0.0.1:\(TestUpgrade.port)"])
        try await server.start()
        let seen = try await server.clients(.http("/nowhere"), count: 1).stop()
        #expect(seen.lost.first?.kind == .wrongAnswer, "\(seen)")
    }
}
