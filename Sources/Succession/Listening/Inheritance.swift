// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// A descriptor that came from a predecessor or a service manager and may be taken by name.
struct Inherited: Sendable {
    let name: String
    let address: ListenAddress
    let origin: Listener.Origin
    let backlog: Int
    let descriptor: OwnedDescriptor
    /// The service manager keeps it too.
    var isStored = false
    /// Not a listener but what one would have accepted.
    var isConnection = false
}

/// What was inherited and has not been taken yet.
struct Inheritance: Sendable {
    private(set) var leftOver: [Inherited]

    init(_ descriptors: [Inherited] = []) {
        leftOver = descriptors
    }

    enum Match {
        case taken(Inherited)
        /// Nothing fits: bind.
        case none
        /// The name is there, for sockets of another kind.
        case otherKind(Inherited)
    }

    /// Takes what was inherited under a name, by name first, then kind, then address; never by
    /// position.
    ///
    /// A service manager's socket is taken whatever its address, because there the unit file
    /// decides where to listen. A predecessor's must be where this generation wants to listen:
    /// otherwise the address was changed on purpose, the new one is to be bound, and the old one is
    /// left over. If the name is new but the address is not, the listener was renamed, or the service
    /// manager gave it no name or another one: it cannot be bound again while somebody has it, so it
    /// is taken under the new name.
    mutating func take(_ name: String, at wanted: ListenAddress) -> Match {
        let named = leftOver.indices.filter { leftOver[$0].name == name }
        let ofKind = named.filter { leftOver[$0].address.kind == wanted.kind }
        if let exact = ofKind.first(where: { wanted.matches(leftOver[$0].address) }) {
            return .taken(leftOver.remove(at: exact))
        }
        if let activated = ofKind.first(where: { leftOver[$0].origin == .activation }) {
            return .taken(leftOver.remove(at: activated))
        }
        if ofKind.isEmpty, let other = named.first(where: { leftOver[$0].origin == .activation }) {
            return .otherKind(leftOver[other])
        }
        let renamed = leftOver.firstIndex {
            // A port of the kernel's choice is nowhere in particular: a unit's socket is not taken
            // for it.
            let isMeant = $0.origin == .bound || wanted == $0.address
            return isMeant && wanted.matches($0.address)
        }
        if let renamed { return .taken(leftOver.remove(at: renamed)) }
        return .none
    }

    /// What the service manager gave and nobody has taken, for an error: `'http' (tcp:*:80)`.
    var givenText: String {
        leftOver.filter { $0.origin == .activation }.prefix(8)
            .map { "'\($0.name)' (\($0.address))" }.joined(separator: ", ")
    }

    /// Takes a descriptor by its name alone.
    mutating func takeAny(_ name: String) -> Match {
        guard let index = leftOver.firstIndex(where: { $0.name == name }) else { return .none }
        return .taken(leftOver.remove(at: index))
    }

    /// Empties it; the descriptors are closed when the result is let go.
    mutating func removeAll() -> [Inherited] {
        defer { leftOver = [] }
        return leftOver
    }
}
