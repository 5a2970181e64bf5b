// SPDX-License-Identifier: Apache-2.0

/// A unit, and whose manager runs it.
package struct UnitReference: Sendable, Hashable {
    package let name: String
    /// The manager of a user, not of the system.
    package let isOfUser: Bool

    package init(name: String, isOfUser: Bool) {
        self.name = name
        self.isOfUser = isOfUser
    }
}
