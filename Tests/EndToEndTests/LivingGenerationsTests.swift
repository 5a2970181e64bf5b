// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// How many generations may live at once.
@Suite(.serialized) struct LivingGenerationsTests {
    private let listen = ["--listen", "echo=tcp:127.0.0.1:0"]

    /// Upgrades until `count` generations live; the connections that keep the old ones here.
    private func crowd(
        _ service: TestService, _ count: Int, _ options: [String]
    ) throws -> [EchoClient] {
        _ = try service.startFixture(options)
        let port = try service.port("echo")
        return try (1..<count).map { _ in
            let client = try EchoClient(port: port)
            _ = try client.greet()
            let run = try service.upgradeFixture(
                options, swapctl: ["--detach", "--drain", "60s"])
            #expect(run.status == .exited(0), "\(run)")
            return client
        }
    }

    @Test func fifthGeneration_isRefusedWithWhoIsHereAndWhy() throws {
        let service = try TestService()
        let kept = try crowd(service, 4, listen)
        let before = try service.servingStatus()
        #expect(before["generation"] as? Int == 4)
        #expect(before["generations_max"] as? Int == 4)
        let run = try service.upgradeFixture(listen)
        #expect(run.status == .exited(5), "\(run)")
        #expect(run.code == "generations")
        for generation in 1...3 {
            #expect(run.reason.contains("generation \(generation) (pid "), "\(run)")
        }
        #expect(run.reason.contains("drains 1 connection for at most "), "\(run)")
        #expect(run.reason.contains("--evict-oldest"), "\(run)")
        #expect(try service.servingStatus()["pid"] as? Int == before["pid"] as? Int)
        for client in kept { #expect(try client.exchange("here") == "here") }
    }

    @Test func evictOldest_cutsTheOldestAndUpgrades() throws {
        let service = try TestService()
        let kept = try crowd(service, 3, listen + ["--max-generations", "3"])
        let run = try service.upgradeFixture(
            listen, swapctl: ["--evict-oldest", "--detach", "--drain", "60s"])
        #expect(run.status == .exited(0), "\(run)")
        #expect(run.generation == 4)
        #expect(try kept[0].isClosed(within: 5_000))
        #expect(try kept[1].exchange("here") == "here")
        // The third had no client, and may have left by itself.
        #expect(
            service.files().filter { $0.hasSuffix(".sock") && $0 != "3.sock" }
                == ["2.sock", "4.sock"])
    }

    @Test func socketsOfTheDead_doNotCount() throws {
        let service = try TestService()
        _ = try service.startFixture(listen + ["--max-generations", "2"])
        for generation in 5...9 {
            // Bound, and left by its process.
            let script = """
                import socket, sys
                socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).bind(sys.argv[1])
                """
            let python = try ChildProcess(
                "/usr/bin/env",
                ["python3", "-c", script, "\(service.runtime)/\(generation).sock"])
            #expect(try python.waitForExit() == .exited(0))
        }
        #expect(try service.upgradeFixture(listen).status == .exited(0))
    }
}
