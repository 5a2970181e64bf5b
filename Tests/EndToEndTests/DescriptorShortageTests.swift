// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Testing

/// Clients, or the application, have used up the descriptors that a process may have.
@Suite(.serialized) struct DescriptorShortageTests {
    private let service: TestService
    private let manager: NotifySocket
    private var environment: [String: String] {
        ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "300000"]
    }

    init() throws {
        service = try TestService()
        manager = try NotifySocket(in: service.directory)
    }

    private func expectPings() throws {
        for _ in 1...3 { #expect(try manager.message(with: "WATCHDOG=1") == ["WATCHDOG=1"]) }
    }

    /// Several times as many connections as fit, most of them in the queue.
    private func crowd(_ port: UInt16) throws -> [EchoClient] {
        let clients = try (0..<150).map { _ in try EchoClient(port: port) }
        // They are let in by the order of the queue.
        _ = try clients[0].greet()
        return clients
    }

    @Test func clients_thatUseUpDescriptors_hinderNeitherOperatorNorUpgrade() throws {
        let listen = ["--listen", "echo=tcp:127.0.0.1:0", "--open-files", "64"]
        let old = try service.startFixture(listen, environment: environment)
        _ = try manager.message(with: "READY=1")
        let port = try service.port("echo")
        let clients = try crowd(port)
        _ = try old.errorLine("\(service.name)[1] warning: 'echo' (tcp:127.0.0.1:\(port)): conn")
        try expectPings()
        #expect(try service.servingStatus()["connections"] as? Int ?? 0 > 5)
        #expect(try clients[0].exchange("still here") == "still here")

        // Not to the end of the drain: it has as long as the crowd stays.
        let run = try service.upgradeFixture(listen, swapctl: ["--detach"])
        #expect(run.status == .exited(0), "\(run)")
        #expect(run.generation == 2)
        // Who is served goes on; who waited is let in by the successor.
        #expect(try clients[0].exchange("and now") == "and now")
        _ = try manager.message(with: "READY=1")
        try expectPings()
        let drained = try service.swapctl(["drain", service.name, "--deadline", "0s"])
        #expect(drained.status == .exited(0) || drained.status == .exited(2), "\(drained)")
        withExtendedLifetime(clients) {}
    }

    /// The first is let in when another one leaves.
    @Test func client_thatWaits_isServedWhenAnotherLeaves() throws {
        let old = try service.startFixture([
            "--listen", "echo=tcp:127.0.0.1:0", "--open-files", "64",
        ])
        var clients = try crowd(service.port("echo"))
        clients.removeFirst()
        while !clients.isEmpty {
            #expect(try clients.removeFirst().greet() == old.processID)
        }
    }

    /// What the accept loop leaves, the application has taken: only the reserve is left.
    @Test func application_thatUsesUpDescriptors_hindersNeitherOperatorNorUpgrade() throws {
        let listen = ["--listen", "echo=tcp:127.0.0.1:0", "--open-files", "64"]
        let old = try service.startFixture(
            listen + ["--hoard", "descriptors"], environment: environment)
        _ = try manager.message(with: "READY=1")
        try expectPings()
        for _ in 1...3 { #expect(try service.servingStatus()["generation"] as? Int == 1) }
        let run = try service.upgradeFixture(listen)
        #expect(run.status == .exited(0), "\(run)")
        #expect(try EchoClient(port: service.port("echo")).greet() == run.pid)
        #expect(try old.waitForExit() == .exited(0))
    }

    /// A descriptor that is lent for a failed start comes back.
    @Test func upgrades_thatFail_useUpNothing() throws {
        let listen = ["--listen", "echo=tcp:127.0.0.1:0", "--open-files", "64"]
        let old = try service.startFixture(
            listen + ["--hoard", "descriptors"], environment: environment)
        for _ in 1...5 {
            let run = try service.upgradeFixture(listen + ["--fault", "exit-at-once"])
            #expect(run.status == .exited(1), "\(run)")
            #expect(run.code == "exited", "\(run)")
        }
        let run = try service.upgradeFixture(listen)
        #expect(run.status == .exited(0), "\(run)")
        #expect(try old.waitForExit() == .exited(0))
    }
}
