// SPDX-License-Identifier: Apache-2.0

extension JSONValue {
    /// A unit file, and where it was written.
    package static func unit(_ file: UnitFile, directory: String?) -> JSONValue {
        [
            "event": "unit", "name": .string(file.name), "text": .string(file.text),
            "path": .optional(directory.map { "\($0)/\(file.name)" }),
        ]
    }
}
