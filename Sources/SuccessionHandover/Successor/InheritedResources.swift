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
    /// Throws if the descriptors of a batch are not as many as its manifest has lines.
    mutating func add(_ offer: Wire.Offer, _ packet: Packet) throws(Failure) {
        service = offer.service
        generation = offer.generation
        predecessor = offer.processID
        guard let entries = ManifestBody.decode(offer.manifest),
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

    /// Throws if what came is not what the message says.
    static func state(_ packet: Packet) throws(Failure) -> StateContent {
        let state: Wire.State
        do throws(WireError) {
            state = try Wire.State(packet.message)
        } catch {
            throw Failure(code: .malformed, reason: error.description)
        }
        if let file = packet.descriptors.first {
            return try .verified(file, size: state.size)
        }
        guard state.body.count == state.size else {
            throw Failure(
                code: .malformed,
                reason: "a state of \(state.body.count) bytes, announced as \(state.size)")
        }
        return .bytes(state.body)
    }
}
