// SPDX-License-Identifier: Apache-2.0

import CSuccession
import Glibc
import SystemPackage

/// An entry of the user database.
package struct User: Sendable, Hashable {
    package let id: UInt32
    package let name: String
    package let home: String

    /// Nil: nobody has this number.
    ///
    /// The corresponding C function is `getpwuid_r`.
    package static func withID(_ id: UInt32) -> User? {
        let capacity = 1_024
        var name = [CChar](repeating: 0, count: capacity)
        var home = [CChar](repeating: 0, count: capacity)
        guard csuccession_user(id, &name, &home, capacity) == 0 else { return nil }
        return User(id: id, name: text(name), home: text(home))
    }

    private static func text(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
