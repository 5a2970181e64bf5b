// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Testing

@testable import Succession

@Suite struct InheritanceTests {
    private func item(
        _ name: String, _ address: String, _ origin: Listener.Origin = .bound
    ) throws -> Inherited {
        let descriptor = try Syscall.openSocket(family: .unix, type: .stream, nonBlocking: true)
        return Inherited(
            name: name, address: try ListenAddress(address), origin: origin, backlog: 128,
            descriptor: descriptor)
    }

    private func taken(_ match: Inheritance.Match) -> String? {
        if case .taken(let item) = match { return "\(item.name)=\(item.address)" }
        return nil
    }

    @Test func sharedName_isToldApartByAddress() throws {
        var inheritance = Inheritance([
            try item("http", "tcp:[::1]:80"), try item("http", "tcp:127.0.0.1:80"),
            try item("http", "unix:/run/web.sock"),
        ])
        let v4 = taken(inheritance.take("http", at: try ListenAddress("tcp:127.0.0.1:80")))
        #expect(v4 == "http=tcp:127.0.0.1:80")
        let unix = taken(inheritance.take("http", at: try ListenAddress("unix:/run/web.sock")))
        #expect(unix == "http=unix:/run/web.sock")
        #expect(inheritance.leftOver.map { "\($0.address)" } == ["tcp:[::1]:80"])
    }

    @Test func predecessorsListener_atAnotherAddress_isLeftOver() throws {
        var inheritance = Inheritance([try item("http", "tcp:127.0.0.1:80")])
        #expect(taken(inheritance.take("http", at: try ListenAddress("tcp:127.0.0.1:81"))) == nil)
        #expect(inheritance.leftOver.count == 1)
    }

    @Test func managersSocket_atAnotherAddress_isTaken() throws {
        var inheritance = Inheritance([try item("http", "tcp:*:80", .activation)])
        let match = inheritance.take("http", at: try ListenAddress("tcp:127.0.0.1:8080"))
        #expect(taken(match) == "http=tcp:*:80")
    }

    @Test func managersSocket_ofAnotherKind_isAMismatch() throws {
        var inheritance = Inheritance([try item("http", "udp:*:80", .activation)])
        let match = inheritance.take("http", at: try ListenAddress("tcp:8080"))
        guard case .otherKind = match else {
            Issue.record("\(match)")
            return
        }
    }

    /// A socket unit without FileDescriptorName=, or a manager that passes no names.
    @Test(arguments: ["unknown", "web.socket", "http"])
    func managersSocket_ofAnotherNameAtTheAddress_isTaken(name: String) throws {
        var inheritance = Inheritance([
            try item("other", "tcp:*:81", .activation), try item(name, "tcp:*:80", .activation),
        ])
        let match = inheritance.take("web", at: try ListenAddress("tcp:80"))
        #expect(taken(match) == "\(name)=tcp:*:80")
        #expect(inheritance.givenText == "'other' (tcp:*:81)")
    }

    /// Its name comes first, wherever it listens.
    @Test func managersSocket_ofTheName_isPreferredToOneAtTheAddress() throws {
        var inheritance = Inheritance([
            try item("unknown", "tcp:*:80", .activation), try item("web", "tcp:*:81", .activation),
        ])
        #expect(taken(inheritance.take("web", at: try ListenAddress("tcp:80"))) == "web=tcp:*:81")
    }

    @Test func managersSocket_ofAnotherName_isNotTakenForAnyPort() throws {
        var inheritance = Inheritance([try item("http", "tcp:127.0.0.1:80", .activation)])
        #expect(taken(inheritance.take("a", at: try ListenAddress("tcp:127.0.0.1:0"))) == nil)
    }

    @Test func renamedListener_atTheSameAddress_isTaken() throws {
        var inheritance = Inheritance([try item("old", "tcp:127.0.0.1:80")])
        let match = inheritance.take("new", at: try ListenAddress("tcp:127.0.0.1:80"))
        #expect(taken(match) == "old=tcp:127.0.0.1:80")
    }

    @Test func portZero_matchesWhateverPortWasGiven() throws {
        var inheritance = Inheritance([try item("a", "tcp:127.0.0.1:4711")])
        let match = inheritance.take("a", at: try ListenAddress("tcp:127.0.0.1:0"))
        #expect(taken(match) == "a=tcp:127.0.0.1:4711")
    }

    @Test func swappedAddresses_areBothFound() throws {
        var inheritance = Inheritance([
            try item("a", "tcp:127.0.0.1:1"), try item("b", "tcp:127.0.0.1:2"),
        ])
        #expect(taken(inheritance.take("a", at: try ListenAddress("tcp:127.0.0.1:2"))) != nil)
        #expect(taken(inheritance.take("b", at: try ListenAddress("tcp:127.0.0.1:1"))) != nil)
    }
}
