// SPDX-License-Identifier: Apache-2.0

import SuccessionActivation
import SuccessionProtocol
import SuccessionSystem
import Testing

@testable import Succession

/// What a service manager gave, told apart.
@Suite struct ActivationTests {
    private func listener() throws -> OwnedDescriptor {
        try Binder.bind(try ListenAddress("tcp:127.0.0.1:0"), name: "", options: BindOptions())
            .descriptor
    }

    private func file() throws -> OwnedDescriptor {
        try MemoryFile.create(name: "x", allowSealing: false)
    }

    /// A crash has left the store; the unit's sockets come first, as managers pass them.
    @Test func storedName_thatIsASocketUnitsToo_isToldApart() throws {
        let (web, kept) = (try listener(), try file())
        let record = try StoreRecord()
        try record.write([StoredDescriptor(name: "web", descriptor: kept).entry])
        let activation = Activation([
            ActivatedDescriptor(name: "web", descriptor: web),
            ActivatedDescriptor(name: StoreRecord.name, descriptor: record.file),
            ActivatedDescriptor(name: "web", descriptor: kept),
        ])
        #expect(activation.inherited.map(\.descriptor.rawValue) == [web.rawValue])
        #expect(activation.inherited.map(\.origin) == [.activation])
        let stored = activation.stored.filter { $0.name == "web" }
        #expect(stored.map(\.descriptor.rawValue) == [kept.rawValue])
    }

    /// `Accept=yes` starts a process for each client and passes that client's connection.
    @Test func connection_inThePlaceOfAListener_isFound() throws {
        let (ours, theirs) = try Syscall.socketPair(type: .stream, nonBlocking: true)
        let activation = Activation([
            ActivatedDescriptor(name: "connection", descriptor: ours)
        ])
        #expect(activation.connection?.descriptor.rawValue == ours.rawValue)
        withExtendedLifetime(theirs) {}
    }

    @Test func connection_ofTheStore_isNone() throws {
        let (ours, theirs) = try Syscall.socketPair(type: .stream, nonBlocking: true)
        let record = try StoreRecord()
        try record.write([StoredDescriptor(name: "connection", descriptor: ours).entry])
        let activation = Activation([
            ActivatedDescriptor(name: "connection", descriptor: try listener()),
            ActivatedDescriptor(name: StoreRecord.name, descriptor: record.file),
            ActivatedDescriptor(name: "connection", descriptor: ours),
        ])
        #expect(activation.connection == nil)
        #expect(activation.inherited.count == 1 && activation.stored.count == 2)
        withExtendedLifetime(theirs) {}
    }

    @Test func socket_thatDoesNotListen_isNoListener() throws {
        let (ours, theirs) = try Syscall.socketPair(type: .stream, nonBlocking: true)
        let activation = Activation([ActivatedDescriptor(name: "web", descriptor: ours)])
        var inheritance = Inheritance(activation.inherited)
        let match = inheritance.take("web", at: try ListenAddress("unix:/run/web.sock"))
        guard case .otherKind(let other) = match else { return #expect(Bool(false), "\(match)") }
        #expect(other.isConnection)
        withExtendedLifetime(theirs) {}
    }
}
