// SPDX-License-Identifier: Apache-2.0

/// How the descriptors of a generation are spread over `offer` messages.
package enum OfferBatches {
    /// What the manifest of one batch may take of the packet; the rest is for the other lines.
    package static let maximumManifestSize = 49_152

    /// The positions of the entries of each batch: at most 252 descriptors and 48 KiB of manifest
    /// in one.
    ///
    /// There is always at least one batch; without entries it is empty.
    package static func ranges(_ entries: [ManifestEntry]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        var size = 0
        for (index, entry) in entries.enumerated() {
            let length = lineLength(entry)
            let isFull = index - start == Message.maximumDescriptors
            if index > start, isFull || size + length > maximumManifestSize {
                ranges.append(start..<index)
                start = index
                size = 0
            }
            size += length
        }
        ranges.append(start..<entries.count)
        return ranges
    }

    /// The entries of each batch.
    package static func split(_ entries: [ManifestEntry]) -> [[ManifestEntry]] {
        ranges(entries).map { Array(entries[$0]) }
    }

    private static func lineLength(_ entry: ManifestEntry) -> Int {
        ManifestBody.encode([entry]).count
    }
}
