// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import Synchronization

/// Listeners as lines of an offer, and back.
enum Manifest {
    static func entry(for listener: Listener) -> ManifestEntry {
        ManifestEntry(
            what: "\(listener.address)",
            origin: listener.origin == .activation ? .activation : .bound,
            backlog: listener.backlog, name: listener.name,
            isStored: listener.isStored.load(ordering: .relaxed))
    }

    static func entry(for inherited: Inherited) -> ManifestEntry {
        ManifestEntry(
            what: "\(inherited.address)",
            origin: inherited.origin == .activation ? .activation : .bound,
            backlog: inherited.backlog, name: inherited.name)
    }

    /// Checks each descriptor against its line; throws the first mismatch.
    static func verify(
        _ handed: [(entry: ManifestEntry, descriptor: OwnedDescriptor)]
    ) throws(Failure) -> [Inherited] {
        var inherited: [Inherited] = []
        for (entry, descriptor) in handed {
            inherited.append(try verify(descriptor, against: entry))
        }
        return inherited
    }

    /// Checks a descriptor against its line: what the kernel says must be what the peer says.
    static func verify(
        _ descriptor: OwnedDescriptor, against entry: ManifestEntry
    ) throws(Failure) -> Inherited {
        func mismatch(_ found: String) -> Failure {
            Failure(
                code: .descriptor,
                reason:
                    "'\(entry.name)' was announced as \(entry.what), but the descriptor is \(found)"
            )
        }
        let origin: Listener.Origin = entry.origin == .activation ? .activation : .bound
        if entry.what == "other" {
            return Inherited(
                name: entry.name,
                address: ListenAddress(kind: .other, socketAddress: .unixUnnamed),
                origin: origin, backlog: entry.backlog, descriptor: descriptor)
        }
        let facts: SocketFacts
        do {
            facts = try SocketFacts.of(descriptor.rawValue)
        } catch {
            throw mismatch("no socket (\(error))")
        }
        let address = ListenAddress(facts: facts)
        guard "\(address)" == entry.what else { throw mismatch("\(address)") }
        guard facts.isListening == address.mustListen else { throw mismatch("not listening") }
        // Flags are shared with every holder of the socket and nobody's word on them is taken.
        try? Syscall.setNonBlocking(descriptor.rawValue, true)
        return Inherited(
            name: entry.name, address: address, origin: origin, backlog: entry.backlog,
            descriptor: descriptor, isStored: entry.isStored)
    }
}
