// SPDX-License-Identifier: Apache-2.0

package import SuccessionProtocol

/// The descriptors of one offer, beside their lines.
package struct OfferBatch: Sendable {
    /// Borrowed: the listeners own them for as long as the generation may be upgraded.
    package let descriptors: [CInt]
    package let manifest: [UInt8]

    /// Splits what is to be offered as ``OfferBatches`` does with the lines; there is always one
    /// batch.
    package static func split(_ items: [(entry: ManifestEntry, descriptor: CInt)]) -> [OfferBatch] {
        var rest = items[...]
        let batches = OfferBatches.split(items.map { $0.entry }).map { entries in
            defer { rest = rest.dropFirst(entries.count) }
            return OfferBatch(
                descriptors: rest.prefix(entries.count).map { $0.descriptor },
                manifest: ManifestBody.encode(entries))
        }
        return batches.isEmpty ? [OfferBatch(descriptors: [], manifest: [])] : batches
    }
}
