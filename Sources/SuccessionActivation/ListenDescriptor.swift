// SPDX-License-Identifier: Apache-2.0

package import SuccessionSystem

/// A descriptor given by a service manager.
public struct ListenDescriptor: Sendable, Hashable {
    /// `FileDescriptorName=` of the socket unit, else the unit's own name; several may share one.
    public let name: String
    /// Its number in this process.
    public let descriptor: Int32
    /// Where it is bound, as it is written everywhere in this project: `tcp:127.0.0.1:8080`,
    /// `unix:/run/web.sock`; `other` for what has no such address.
    public let address: String

    init(name: String, descriptor: Int32) {
        self.name = name
        self.descriptor = descriptor
        let facts = try? SocketFacts.of(descriptor)
        address = facts.map { EndpointText(facts: $0).description } ?? "other"
    }

    /// What stands before the colon of ``address``.
    public var kind: String { Self.kind(address) }

    static func kind(_ address: String) -> String {
        String(address.prefix { $0 != ":" })
    }
}

/// One whose owner is the process that took it.
package struct ActivatedDescriptor: Sendable {
    package let name: String
    package let descriptor: OwnedDescriptor

    package init(name: String, descriptor: OwnedDescriptor) {
        self.name = name
        self.descriptor = descriptor
    }
}
