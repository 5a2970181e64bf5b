// SPDX-License-Identifier: Apache-2.0

/// A part of an upgrade, as the server reports it to the operator who asked.
///
/// The server does not wait for the operator at a phase: what is done when a phase begins takes effect a moment later,
/// possibly in the next phase.
public enum UpgradePhase: String, Sendable, Hashable, CaseIterable {
    /// The successor's program is started.
    case start
    /// The successor runs, and takes the descriptors and the state.
    case offer
    /// The successor has everything, and builds its server until it is ready.
    case ready
    /// The predecessor stops accepting, and the successor begins.
    case commit
    /// The successor serves, and the predecessor finishes its connections.
    case drain
}

/// One of the two processes of an upgrade.
public enum UpgradeSide: String, Sendable, Hashable, CaseIterable {
    /// The process that serves when the upgrade is asked for.
    case predecessor
    /// The process that the upgrade starts.
    case successor
}
