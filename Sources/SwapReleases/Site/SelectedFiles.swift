// SPDX-License-Identifier: Apache-2.0

import SwapControl

/// The files that are selected to serve, by key: `bin` for the program, and one for each other link.
package struct SelectedFiles: Sendable, Hashable {
    /// Absolute paths; the key is `bin` for `bin.file`.
    package var files: [String: String]

    package init(_ files: [String: String]) {
        self.files = files
    }

    /// The key of the program.
    package static let program = "bin"
    static let suffix = ".file"

    package var program: String? { files[Self.program] }

    /// The keys in the order in which links are changed: the program last, so that its link never leads
    /// to a program whose configuration is not in place yet.
    var order: [String] {
        files.keys.sorted { one, other in
            if (one == Self.program) != (other == Self.program) { return other == Self.program }
            return one < other
        }
    }

    /// For the operator: `app.2.0, cfg.2.0`, the program first.
    package func description(in site: ReleaseSite) -> String {
        order.reversed().compactMap { files[$0] }.map { path in
            Path.relative(path, to: site.releaseDirectory) ?? path
        }.joined(separator: ", ")
    }

    var json: JSONValue { .object(files.mapValues { .string($0) }) }

    init?(_ node: JSONNode?) {
        guard let members = node?.members else { return nil }
        files = [:]
        // Other keys are skipped: a key becomes a part of a link's name.
        for member in members where ReleaseSite.isValidName(member.key) {
            files[member.key] = member.node.string
        }
    }
}
