// SPDX-License-Identifier: Apache-2.0

package import SuccessionProtocol
package import SuccessionSystem
import SuccessionTransport

/// What a predecessor has handed over, as it arrived.
///
/// Whether a descriptor is what its entry says is for its new owner to check.
package struct InheritedResources: Sendable {
    package var service = ""
    /// The number of the successor.
    package var generation = 0
    /// Pid of the predecessor, as it says.
    package var predecessor: Int32 = 0
    package var listeners: [(entry: ManifestEntry, descriptor: OwnedDescriptor)] = []
    /// What the service manager keeps for the application.
    package var stored: [(name: String, descriptor: OwnedDescriptor)] = []
    package var lock: OwnedDescriptor?
    package var state: StateContent?

    package init() {}
}

extension InheritedResources {
    mutating func add(_ packet: Packet) throws(Failure) {
        service = packet.message.text("SERVICE") ?? ""
        generation = packet.message.number(.generation) ?? 0
        predecessor = Int32(clamping: packet.message.number(.processID) ?? 0)
        guard let entries = ManifestBody.decode(packet.message.body),
            entries.count == packet.descriptors.count
        else {
            throw Failure(
                code: .descriptor,
                reason:
                    "\(packet.descriptors.count) descriptors came with a manifest of other lines")
        }
        for (entry, descriptor) in zip(entries, packet.descriptors) {
            if entry.what == ManifestEntry.lock.what {
                lock = descriptor
            } else if entry.isStored, entry.origin == .unspecified {
                stored.append((entry.name, descriptor))
            } else {
                listeners.append((entry, descriptor))
            }
        }
    }

    static func state(_ packet: Packet) throws(Failure) -> StateContent {
        let body = packet.message.body
        let size = packet.message.number(.size) ?? body.count
        if let file = packet.descriptors.first { return try .verified(file, size: size) }
        guard body.count == size else {
            throw Failure(
                code: .malformed, reason: "a state of \(body.count) bytes, announced as \(size)")
        }
        return .bytes(body)
    }
}
