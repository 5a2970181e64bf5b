// SPDX-License-Identifier: Apache-2.0

import SwapControl

/// Which file each link of a site leads to: `bin` and the rest, as absolute paths.
package struct Selection: Sendable, Hashable {
    /// `bin` for `bin.file`.
    package var files: [String: String]

    package init(_ files: [String: String]) {
        self.files = files
    }

    /// The key of the program itself.
    package static let program = "bin"
    static let suffix = ".file"

    package var program: String? { files[Self.program] }

    /// The keys in the order in which everything is done with them: the program last, so that a
    /// link to it never leads to a program whose configuration is not there yet.
    var order: [String] {
        files.keys.sorted { one, other in
            if (one == Self.program) != (other == Self.program) { return other == Self.program }
            return one < other
        }
    }

    /// For people: `app.2.0, cfg.2.0`, the program first.
    package func description(in site: ReleaseSite) -> String {
        order.reversed().compactMap { files[$0] }.map { path in
            Path.relative(path, to: site.releaseDirectory) ?? path
        }.joined(separator: ", ")
    }

    var json: JSONValue { .object(files.mapValues { .string($0) }) }

    init?(_ node: JSONNode?) {
        guard let members = node?.members else { return nil }
        files = [:]
        // A key is part of the name of a link.
        for member in members where ReleaseSite.isValidName(member.key) {
            files[member.key] = member.node.string
        }
    }
}
