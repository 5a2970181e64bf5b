// SPDX-License-Identifier: Apache-2.0

/// The name of a systemd unit, and which manager runs it.
package struct UnitReference: Sendable, Hashable {
    package let name: String
    /// The manager of a user runs the unit; else the manager of the system.
    package let isOfUser: Bool

    package init(name: String, isOfUser: Bool) {
        self.name = name
        self.isOfUser = isOfUser
    }
}
