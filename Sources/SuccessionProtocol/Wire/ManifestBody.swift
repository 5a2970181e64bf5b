// SPDX-License-Identifier: Apache-2.0

/// The body of an `offer`: one line for each descriptor, in the order in which they ride on the
/// packet.
///
/// A body and not fields, so that a receiver can acknowledge a batch by its header and read the
/// lines afterwards.
package enum ManifestBody {
    package static func encode(_ entries: some Sequence<ManifestEntry>) -> [UInt8] {
        var body: [UInt8] = []
        for entry in entries {
            for (index, field) in entry.fields.enumerated() {
                if index > 0 { body.append(UInt8(ascii: " ")) }
                body += Escaping.encode(field, escapingSpace: true).utf8
            }
            body.append(UInt8(ascii: "\n"))
        }
        return body
    }

    /// The entries; nil if a line is none.
    package static func decode(_ body: [UInt8]) -> [ManifestEntry]? {
        guard let text = String(validating: body, as: UTF8.self) else { return nil }
        var entries: [ManifestEntry] = []
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            let fields = words.compactMap { Escaping.decode(String(decoding: $0, as: UTF8.self)) }
            guard fields.count == words.count, let entry = ManifestEntry(fields: fields) else {
                return nil
            }
            entries.append(entry)
        }
        return entries
    }
}
