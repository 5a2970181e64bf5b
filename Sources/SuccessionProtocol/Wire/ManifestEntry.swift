// SPDX-License-Identifier: Apache-2.0

/// One line of a manifest: what the descriptor at the same place in the packet is.
package struct ManifestEntry: Sendable, Hashable {
    /// Where the listener came from first.
    package enum Origin: String, Sendable, Hashable {
        /// Bound by a generation of this service.
        case bound
        /// Given by a service manager.
        case activation
        case unspecified = "-"
    }

    /// An address such as `tcp:127.0.0.1:8080`, or `other`, or `lock`.
    package var what: String
    package var origin: Origin
    /// As given to listen(2); 0 where that means nothing.
    package var backlog: Int
    /// Empty: none, `-` in the packet.
    package var name: String
    /// The service manager keeps it too.
    package var isStored: Bool

    package init(
        what: String, origin: Origin, backlog: Int, name: String, isStored: Bool = false
    ) {
        self.what = what
        self.origin = origin
        self.backlog = backlog
        self.name = name
        self.isStored = isStored
    }

    /// Reads the fields of a line; nil if they are not an entry.
    ///
    /// Fields after the fifth are a later version's and are ignored, and so is an origin only a
    /// later version knows.
    package init?(fields: [String]) {
        guard fields.count >= 4, !fields[0].isEmpty, !fields[3].isEmpty,
            let backlog = WireNumber.parse(fields[2], in: NumericKey.backlog.range)
        else { return nil }
        self.init(
            what: fields[0], origin: Origin(rawValue: fields[1]) ?? .unspecified, backlog: backlog,
            name: fields[3] == "-" ? "" : fields[3],
            isStored: fields.count > 4 && fields[4] == Self.stored)
    }

    /// The line as ``Message/addFields(_:_:)`` takes it.
    package var fields: [String] {
        let fields = [what, origin.rawValue, String(backlog), name.isEmpty ? "-" : name]
        return isStored ? fields + [Self.stored] : fields
    }

    private static let stored = "stored"

    /// The lock of the service.
    package static let lock = ManifestEntry(
        what: "lock", origin: .unspecified, backlog: 0, name: "")
}
