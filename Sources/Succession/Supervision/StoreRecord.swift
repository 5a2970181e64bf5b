// SPDX-License-Identifier: Apache-2.0

import SuccessionActivation
import SuccessionProtocol
import SuccessionSystem
import SystemPackage

/// What is in the service manager's store, written into a memory file that is itself kept there.
///
/// A process that is started anew gets the store's descriptors among those of socket units, and
/// nothing tells them apart. What this record names was bound by an earlier generation, with a
/// backlog that the system may not tell; everything else is a socket unit's.
struct StoreRecord: Sendable {
    /// The record's own name in the store; no listener may be called so.
    static let name = "succession.record"

    let file: OwnedDescriptor

    init() throws(Errno) {
        file = try MemoryFile.create(name: "succession-record", allowSealing: false)
    }

    init(_ file: OwnedDescriptor) {
        self.file = file
    }

    /// Replaces what it says.
    ///
    /// In one call: a process that is killed leaves the old text or the new one.
    func write(_ entries: [ManifestEntry]) throws(Errno) {
        let body = ManifestBody.encode(entries)
        try Syscall.writeAt(file.rawValue, offset: 0, Array("\(body.count)\n".utf8) + body)
    }

    /// Empty if it says nothing that can be read.
    func entries() -> [ManifestEntry] {
        guard let size = try? MemoryFile.size(file.rawValue),
            let bytes = try? Syscall.readAt(file.rawValue, offset: 0, count: min(size, 1 << 22)),
            let end = bytes.firstIndex(of: UInt8(ascii: "\n")),
            let count = WireNumber.parse(String(decoding: bytes[..<end], as: UTF8.self)),
            count <= bytes.count - end - 1
        else { return [] }
        return ManifestBody.decode(Array(bytes[(end + 1)...].prefix(count))) ?? []
    }
}

/// What a service manager gave, told apart.
struct Activation: Sendable {
    /// Listeners of socket units and of the store.
    var inherited: [Inherited] = []
    /// What the application had stored, and the record.
    var stored: [StoredDescriptor] = []
    /// Names in the store that are of no use any more.
    var stale: Set<String> = []

    /// Tells apart by the record what is among the descriptors.
    ///
    /// A manager gives the sockets of units first, then those of the store. So the record is compared
    /// from the end: where a name is that of a unit's socket and of something stored, the unit's is
    /// the one that is left.
    init(_ descriptors: [ActivatedDescriptor] = []) {
        let record = descriptors.first { $0.name == StoreRecord.name }
        var known = record.map { StoreRecord($0.descriptor).entries() } ?? []
        for item in descriptors.reversed() {
            let address = Self.address(of: item.descriptor)
            if item.name == StoreRecord.name {
                stored.append(StoredDescriptor(name: item.name, descriptor: item.descriptor))
                continue
            }
            let index = known.firstIndex {
                $0.name == item.name && ($0.origin == .unspecified || $0.what == "\(address)")
            }
            let entry = index.map { known.remove(at: $0) }
            guard let entry else {
                inherited.append(Self.activated(item, address))
                continue
            }
            if entry.origin == .unspecified {
                stored.append(StoredDescriptor(name: item.name, descriptor: item.descriptor))
            } else if Self.isReachable(address) {
                inherited.append(
                    Inherited(
                        name: item.name, address: address, origin: .bound,
                        backlog: entry.backlog, descriptor: item.descriptor, isStored: true))
            } else {
                stale.insert(item.name)
            }
        }
        inherited.reverse()
        stored.reverse()
    }

    private static func address(of descriptor: OwnedDescriptor) -> ListenAddress {
        let facts = try? SocketFacts.of(descriptor.rawValue)
        return facts.map { ListenAddress(facts: $0) }
            ?? ListenAddress(kind: .other, socketAddress: .unixUnnamed)
    }

    private static func activated(
        _ item: ActivatedDescriptor, _ address: ListenAddress
    ) -> Inherited {
        let facts = try? SocketFacts.of(item.descriptor.rawValue)
        if let facts, facts.type == .stream || facts.type == .sequencedPacket, !facts.isListening {
            return unlistening(item)
        }
        let backlog = address.mustListen ? facts?.backlog ?? Syscall.maximumBacklog() : 0
        return Inherited(
            name: item.name, address: address, origin: .activation, backlog: backlog,
            descriptor: item.descriptor)
    }

    private static func unlistening(_ item: ActivatedDescriptor) -> Inherited {
        var inherited = Inherited(
            name: item.name, address: ListenAddress(kind: .other, socketAddress: .unixUnnamed),
            origin: .activation, backlog: 0, descriptor: item.descriptor)
        inherited.isConnection = (try? Syscall.peerAddress(item.descriptor.rawValue)) != nil
        return inherited
    }

    /// The name under which a unit with `Accept=yes` is given its one connection.
    static let connectionName = "connection"

    /// A connection in the place of listeners: each process of such a unit serves one client, and
    /// there is nothing to hand over.
    var connection: Inherited? {
        inherited.first { $0.name == Self.connectionName && $0.isConnection }
    }

    /// A Unix socket whose path is gone, with the runtime directory perhaps, is one nobody can find.
    private static func isReachable(_ address: ListenAddress) -> Bool {
        guard case .unixPath(let path) = address.socketAddress else { return true }
        return (try? Syscall.linkStatus(path))?.isSocket == true
    }
}

/// A descriptor that the service manager keeps under a name, and is no listener.
struct StoredDescriptor: Sendable {
    let name: String
    let descriptor: OwnedDescriptor

    /// As it is written into offers and the record.
    ///
    /// As `other`, whatever it is: a socket that does not listen is not what an address promises.
    var entry: ManifestEntry {
        ManifestEntry(
            what: "other", origin: .unspecified, backlog: 0, name: name, isStored: true)
    }
}
