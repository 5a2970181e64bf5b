// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// Each kind of socket goes from generation to generation, and what cannot be bound is named.
@Suite(.serialized) struct ListenerKindTests {
    private static var hasVsock: Bool {
        (try? Syscall.openSocket(family: .vsock, type: .stream, nonBlocking: true)) != nil
    }

    private func addresses(_ service: TestService) -> [String] {
        var addresses = [
            "tcp:127.0.0.1:0", "tcp:[::1]:0", "tcp:*:0", "udp:127.0.0.1:0", "udp:*:0",
            "unix:\(service.directory)/stream with space", "unix:@\(service.name)",
            "unix-dgram:\(service.directory)/dgram", "unix-seqpacket:\(service.directory)/seq",
        ]
        if Self.hasVsock { addresses.append("vsock:\(UInt32.random(in: 20_000..<30_000))") }
        return addresses
    }

    private func listeners(_ service: TestService) throws -> [String] {
        let all = try service.servingStatus()["listeners"] as? [[String: Any]] ?? []
        return all.map { "\($0["name"] ?? "") \($0["address"] ?? "") \($0["backlog"] ?? "")" }
    }

    @Test func listeners_ofEachKind_surviveUpgrades() throws {
        let service = try TestService()
        let addresses = addresses(service)
        let options =
            addresses.enumerated().flatMap { ["--listen", "l\($0)=\($1)"] } + ["--keep", "pipe"]
        let first = try service.startFixture(options)
        let before = try listeners(service)
        #expect(before.count == addresses.count + 1)
        for _ in 0..<3 {
            let run = try service.swapctl(["upgrade", service.name, "--json"])
            #expect(run.status == .exited(0), "\(run)")
            #expect(try listeners(service) == before)
        }
        #expect(try first.waitForExit() == .exited(0))
        #expect(!first.standardError.contains("nobody took it"))
    }

    @Test func address_takenByAnotherService_isNamed() throws {
        let (one, two) = (try TestService(), try TestService())
        _ = one
        let holder = try one.startFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        let port = try one.port("echo")
        let second = try ChildProcess(
            Binaries.fixture,
            ["serve", "--service", two.name, "--listen", "echo=tcp:127.0.0.1:\(port)"],
            environment: two.environment)
        #expect(try second.waitForExit() == .exited(1))
        #expect(
            second.standardError.contains("cannot listen on tcp:127.0.0.1:\(port) for 'echo'"))
        #expect(holder.handle.isAlive())
    }

    @Test(.enabled(if: getuid() == 0, "needs root to become another user"))
    func directory_thatCannotBeWritten_isNamed() throws {
        let service = try TestService()
        let closed = service.directory + "/closed"
        try FileManager.default.createDirectory(
            atPath: closed, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o755])
        let open = service.directory + "/open"
        let program = open + "/fixture"
        try FileManager.default.createDirectory(
            atPath: open, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o777])
        try FileManager.default.copyItem(atPath: Binaries.fixture, toPath: program)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: service.directory)
        let server = try ChildProcess(
            "/usr/bin/setpriv",
            [
                "--reuid", "65534", "--clear-groups", program, "serve", "--service", service.name,
                "--listen", "echo=unix:\(closed)/echo.sock",
            ], environment: ["SUCCESSION_RUNTIME_DIRECTORY": open + "/run"])
        #expect(try server.waitForExit() == .exited(1))
        #expect(server.standardError.contains("the directory cannot be written"))
    }

    /// pg_doorman#264: a full table of descriptors is a pause, not the end.
    @Test func accept_whenDescriptorsRunOut_goesOnWhenThereAreSome() throws {
        let service = try TestService()
        let server = try service.startFixture([
            "--listen", "echo=tcp:127.0.0.1:0", "--open-files", "64",
        ])
        let port = try service.port("echo")
        var clients = try (0..<60).map { _ in try EchoClient(port: port) }
        let served = clients.filter { (try? $0.greet(within: 200)) != nil }.count
        #expect(served > 0 && served < 60)
        clients.removeFirst(served)
        for client in clients.prefix(20) { #expect(try client.greet() == server.processID) }
    }

    @Test func signals_interruptAndConfiguredHangUp_stopAndUpgrade() throws {
        let service = try TestService()
        let old = try service.startFixture(
            ["--listen", "echo=tcp:127.0.0.1:0", "--upgrade-signal", "\(Signals.hangUp)"])
        try old.handle.signal(Signals.hangUp)
        let line = try old.line("ready 2 ")
        #expect(try old.waitForExit() == .exited(0))
        let successor = try ProcessHandle.open(try #require(Int32(line.split(separator: " ")[2])))
        let client = try EchoClient(port: service.port("echo"))
        _ = try client.greet()
        try successor.signal(Signals.interrupt)
        #expect(try client.isClosed(within: 5_000))
        #expect(successor.waitForExit(deadline: Syscall.monotonicNanoseconds() + 10_000_000_000))
    }
}
