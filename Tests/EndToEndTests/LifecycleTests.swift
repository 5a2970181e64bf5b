// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// The example that is a ServiceGroup, with SIGTERM and SIGINT trapped by the group.
@Suite(.serialized) struct LifecycleTests {
    private func start() throws -> (TestService, ChildProcess, UInt16) {
        let service = try TestService()
        let server = try ChildProcess(
            Binaries.lifecycle, ["--service", service.name, "--listen", "tcp:127.0.0.1:0"],
            environment: service.environment)
        try service.waitUntilServing()
        return (service, server, try service.port("echo"))
    }

    @Test func tenUpgrades_underLoad_noConnectionFails() throws {
        let (service, first, port) = try start()
        let load = try ChildProcess(
            Binaries.load,
            [
                "--echo", "tcp:127.0.0.1:\(port)", "--rate", "100", "--hold", "200ms",
                "--timeout", "10s", "--json",
            ])
        var last: Int32?
        for _ in 1...10 {
            let run = try service.swapctl(["upgrade", service.name, "--json"])
            #expect(run.status == .exited(0), "\(run)")
            last = run.pid
        }
        load.closeInput()
        #expect(try load.waitForExit() == .exited(0), "\(load.standardOutput)")
        let report = try #require(
            (try JSONSerialization.jsonObject(with: Data(load.standardOutput.utf8)))
                as? [String: Any])
        #expect(report["failed"] as? Int == 0, "\(report)")
        #expect((report["generations"] as? [Any])?.count ?? 0 >= 5, "\(report)")
        #expect(try first.waitForExit() == .exited(0), "\(first.standardError)")
        #expect(DescriptorAudit.processes(mentioning: service.name) == [try #require(last)])
        #expect(service.files() == ["11.sock", "lock", "serving"])
        let handedOver = try #require(
            first.standardError.split(separator: "\n").first { $0.contains("event=handed-over") })
        for word in ["service=\(service.name)", "generation=1", "pid=\(first.processID)"] {
            #expect(handedOver.contains(word))
        }
        #expect(handedOver.contains("standstill_ms="))
    }

    @Test func termination_trappedByTheGroup_drainsAsTheLastOfItsLine() throws {
        let (service, server, port) = try start()
        var client: EchoClient? = try EchoClient(port: port)
        #expect(try client?.greet() == server.processID)
        try server.handle.signal(Signals.terminate)
        while try !server.errorLine("").contains("event=drain ") {}
        #expect(try client?.exchange("still here") == "still here")
        #expect(server.handle.isAlive())
        client = nil
        #expect(try server.waitForExit() == .exited(0))
        #expect(server.standardError.contains("cut=0"))
        // Not the generation's too.
        #expect(!server.standardError.contains("signal 15"))
        #expect(service.files() == ["lock"])
    }

    /// The group cancels its services, and with them the task that reads from a connection.
    @Test func interrupt_trappedByTheGroup_endsWhatIsOpen() throws {
        let (service, server, port) = try start()
        let client = try EchoClient(port: port)
        _ = try client.greet()
        try server.handle.signal(Signals.interrupt)
        #expect(try client.isClosed(within: 5_000))
        #expect(try server.waitForExit() == .exited(1))
        #expect(!server.standardError.contains("signal 2"))
        #expect(service.files() == ["lock"])
    }

    @Test func operatorsDrain_endsTheGroup() throws {
        let (service, server, _) = try start()
        let run = try service.swapctl(["drain", service.name, "--json"])
        #expect(run.status == .exited(0), "\(run)")
        #expect(try server.waitForExit() == .exited(0), "\(server.standardError)")
    }

    @Test func operatorsDrain_atItsDeadline_cutsAndTheGroupEndsWell() throws {
        let (service, server, port) = try start()
        let client = try EchoClient(port: port)
        _ = try client.greet()
        let run = try service.swapctl(["drain", service.name, "--json", "--deadline", "300ms"])
        #expect(run.status == .exited(2), "\(run)")
        #expect(try client.isClosed(within: 5_000))
        #expect(try server.waitForExit() == .exited(0), "\(server.standardError)")
    }

    @Test func signal_leftToTheGeneration_upgrades() throws {
        let (service, server, port) = try start()
        try server.handle.signal(Signals.user2)
        #expect(try server.waitForExit() == .exited(0))
        let successor = try EchoClient(port: port).greet()
        #expect(successor != server.processID)
        #expect(DescriptorAudit.processes(mentioning: service.name) == [successor])
    }

    @Test func successor_thatCannotBind_predecessorServesOn() throws {
        let (service, server, port) = try start()
        let other = try TestService()
        let neighbour = try other.startFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        let taken = try other.port("echo")
        let run = try service.swapctl([
            "upgrade", service.name, "--json", "--", Binaries.lifecycle, "--service",
            service.name, "--listen", "tcp:127.0.0.1:\(taken)",
        ])
        #expect(run.status == .exited(1), "\(run)")
        #expect(try EchoClient(port: port).greet() == server.processID)
        #expect(try service.swapctl(["upgrade", service.name]).status == .exited(0))
        withExtendedLifetime(neighbour) {}
    }
}
