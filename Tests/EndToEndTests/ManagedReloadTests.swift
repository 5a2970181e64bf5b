// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import SystemPackage
import Testing

/// What a service manager is told of a reload, heard at the socket it listens on.
@Suite(.serialized) struct ManagedReloadTests {
    /// Stands where the manager would.
    private struct Manager {
        let path: String
        private let socket: OwnedDescriptor

        init(in directory: String) throws {
            path = directory + "/notify"
            socket = try Syscall.openSocket(family: .unix, type: .datagram, nonBlocking: false)
            try Syscall.bind(socket.rawValue, to: .unixPath(path))
        }

        /// The next notice that says one of these things; what else is told is passed over.
        func next(_ keys: String...) throws -> [String: String] {
            while true {
                guard
                    try Syscall.poll(
                        socket.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 10_000)
                else { throw ChildProcess.TimedOut(description: "no \(keys)") }
                let text = String(
                    decoding: try Syscall.read(socket.rawValue, count: 65_536), as: UTF8.self)
                var fields: [String: String] = [:]
                for line in text.split(separator: "\n") {
                    let parts = line.split(separator: "=", maxSplits: 1)
                    fields[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
                }
                if keys.contains(where: { fields[$0] != nil }) { return fields }
            }
        }
    }

    private func start(_ answer: String) throws -> (TestService, ChildProcess, Manager) {
        let service = try TestService()
        let manager = try Manager(in: service.directory)
        let server = try service.startFixture(
            [
                "--listen", "echo=tcp:127.0.0.1:0", "--reload-signal", "1",
            ] + (answer == "none" ? [] : ["--reload", answer]),
            environment: ["NOTIFY_SOCKET": manager.path])
        _ = try manager.next("READY")
        return (service, server, manager)
    }

    @Test(arguments: [
        ("accept", ""), ("refuse:line 3", "line 3"), ("none", "does not reload"),
    ])
    func signal_isAnsweredWithReloadingAndReady(answer: String, reason: String) throws {
        let (service, server, manager) = try start(answer)
        for _ in 0..<3 {
            let before = Syscall.monotonicNanoseconds() / 1_000
            try server.handle.signal(Signals.hangUp)
            let began = try manager.next("RELOADING", "READY")
            #expect(began["RELOADING"] == "1")
            let moment = try #require(began["MONOTONIC_USEC"].flatMap(UInt64.init))
            #expect(moment >= before && moment <= Syscall.monotonicNanoseconds() / 1_000)
            let ended = try manager.next("RELOADING", "READY")
            #expect(ended["READY"] == "1")
            #expect(ended["STATUS"]?.hasPrefix("generation 1 serves echo=") == true, "\(ended)")
            #expect(ended["STATUS"]?.contains("reload refused: ") == !reason.isEmpty, "\(ended)")
            #expect(reason.isEmpty || ended["STATUS"]?.contains(reason) == true, "\(ended)")
        }
        withExtendedLifetime(service) {}
    }

    /// The manager is not kept waiting for a reload that cannot be while an upgrade runs.
    @Test func signal_whileAnUpgradeRuns_isAnsweredAtOnce() throws {
        let (service, server, manager) = try start("accept")
        let fifo = try Fifo(in: service.directory)
        let upgrade = try service.startSwapctl(
            ["upgrade", service.name, "--json", "--", Binaries.fixture, "serve", "--service"]
                + [service.name, "--listen", "echo=tcp:127.0.0.1:0"]
                + ["--fault", "hold:send ready:\(fifo.path)"])
        try fifo.waitUntilReached()
        try server.handle.signal(Signals.hangUp)
        #expect(try manager.next("RELOADING", "READY")["RELOADING"] == "1")
        let ended = try manager.next("RELOADING", "READY")
        #expect(ended["READY"] == "1")
        #expect(ended["STATUS"]?.contains("reload refused: an upgrade is running") == true)
        fifo.release()
        #expect(try upgrade.waitForExit() == .exited(0))
    }
}
