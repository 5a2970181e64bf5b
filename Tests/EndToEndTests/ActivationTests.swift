// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage
import Testing

/// Sockets from a service manager: LISTEN_FDS and LISTEN_FDNAMES, as systemd sets them.
@Suite(.serialized) struct ActivationTests {
    private func socket(_ type: SocketType = .stream) throws -> (OwnedDescriptor, UInt16) {
        let socket = try Syscall.openSocket(family: .ipv4, type: type, nonBlocking: false)
        let address = try #require(SocketAddress(numericHost: "127.0.0.1", port: 0))
        try Syscall.bind(socket.rawValue, to: address)
        if type == .stream { try Syscall.listen(socket.rawValue, backlog: 77) }
        guard case .ipv4(_, let port) = try Syscall.localAddress(socket.rawValue) else {
            throw Errno.invalidArgument
        }
        return (socket, port)
    }

    private func start(
        _ service: TestService, _ sockets: [(OwnedDescriptor, name: String)], listen: [String]
    ) throws -> ChildProcess {
        var environment = service.environment
        environment["LISTEN_FDS"] = "\(sockets.count)"
        // A manager that knows no names does not set it.
        let isNamed = sockets.contains { !$0.name.isEmpty }
        environment["LISTEN_FDNAMES"] = !isNamed ? nil : sockets.map(\.name).joined(separator: ":")
        return try withExtendedLifetime(sockets) {
            try ChildProcess(
                Binaries.fixture,
                ["serve", "--service", service.name] + listen.flatMap { ["--listen", $0] },
                environment: environment,
                passing: sockets.enumerated().map { index, item in
                    (source: item.0.rawValue, target: CInt(3 + index))
                })
        }
    }

    @Test func managersSocket_isServedWhereverItListens_andHandedOn() throws {
        let service = try TestService()
        let (other, otherPort) = try socket()
        let (echo, port) = try socket()
        // The order is not the one of the names; the address in the program is only its own idea.
        let old = try start(
            service, [(other, "other"), (echo, "echo")],
            listen: ["echo=tcp:127.0.0.1:9", "other=tcp:127.0.0.1:9"])
        _ = try old.line("ready 1 ")
        #expect(try EchoClient(port: port).greet() == old.processID)
        #expect(try EchoClient(port: otherPort).greet() == old.processID)
        let listeners = try #require(try service.servingStatus()["listeners"] as? [[String: Any]])
        #expect(listeners.allSatisfy { $0["origin"] as? String == "activation" })
        #expect(listeners.allSatisfy { $0["backlog"] as? Int == 77 })

        let run = try service.upgradeFixture(
            ["--listen", "echo=tcp:127.0.0.1:9", "--listen", "other=tcp:127.0.0.1:9"])
        #expect(run.status == .exited(0), "\(run)")
        #expect(try EchoClient(port: port).greet() == run.pid)
        #expect(try old.waitForExit() == .exited(0))
    }

    @Test func managersSocket_ofAnotherKind_isANamedError() throws {
        let service = try TestService()
        let (datagram, _) = try socket(.datagram)
        let server = try start(service, [(datagram, "echo")], listen: ["echo=tcp:127.0.0.1:0"])
        #expect(try server.waitForExit() == .exited(1))
        #expect(server.standardError.contains("'echo' was given by the service manager as udp:"))
    }

    /// A unit that gives its socket another name, or none.
    @Test(arguments: ["http", "web.socket", ""])
    func managersSocket_ofAnotherName_isTakenByItsAddress(name: String) throws {
        let service = try TestService()
        let (echo, port) = try socket()
        let server = try start(service, [(echo, name)], listen: ["echo=tcp:127.0.0.1:\(port)"])
        _ = try server.line("ready 1 ")
        #expect(try EchoClient(port: port).greet() == server.processID)
        let listeners = try #require(try service.servingStatus()["listeners"] as? [[String: Any]])
        #expect(listeners.map { $0["name"] as? String } == ["echo"])
        #expect(listeners.map { $0["origin"] as? String } == ["activation"])
        let run = try service.upgradeFixture(["--listen", "echo=tcp:127.0.0.1:\(port)"])
        #expect(run.status == .exited(0), "\(run)")
        #expect(try EchoClient(port: port).greet() == run.pid)
    }

    @Test func address_thatCannotBeBound_isAnErrorThatNamesWhatWasGiven() throws {
        let service = try TestService()
        let ((echo, port), (other, otherPort)) = (try socket(), try socket())
        let server = try start(
            service, [(other, "http")], listen: ["echo=tcp:127.0.0.1:\(port)"])
        #expect(try server.waitForExit() == .exited(1))
        #expect(
            server.standardError.contains(
                "the service manager gave 'http' (tcp:127.0.0.1:\(otherPort))"))
        withExtendedLifetime(echo) {}
    }

    /// `Accept=yes`.
    @Test func connection_inThePlaceOfAListener_isRefusedByName() throws {
        let service = try TestService()
        let (listener, port) = try socket()
        let client = try EchoClient(port: port)
        let (connection, _) = try Syscall.accept(listener.rawValue)
        let server = try start(
            service, [(connection, "connection")], listen: ["echo=tcp:127.0.0.1:0"])
        #expect(try server.waitForExit() == .exited(1))
        #expect(server.standardError.contains("'connection' (descriptor 3) is a connection from"))
        #expect(server.standardError.contains("Accept=no"))
        withExtendedLifetime(client) {}
    }

    /// distil#107: a socket that nobody accepts from hangs its clients.
    @Test func managersSocket_thatNobodyTakes_isClosedAndReported() throws {
        let service = try TestService()
        let (spare, _) = try socket()
        let server = try start(service, [(spare, "spare")], listen: ["echo=tcp:127.0.0.1:0"])
        _ = try server.line("ready 1 ")
        _ = try server.errorLine("\(service.name)[1] warning: closed 'spare'")
    }
}
