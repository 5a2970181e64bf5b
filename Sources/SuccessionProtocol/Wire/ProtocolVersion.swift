// SPDX-License-Identifier: Apache-2.0

/// The version of the protocol that this package speaks.
package enum ProtocolVersion {
    /// Peers of another major version are told so and nothing else (docs/protocol.md §1).
    package static let major = 1
}
