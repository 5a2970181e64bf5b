// SPDX-License-Identifier: Apache-2.0

/// What a generation shares between its author's threads and the control thread.
struct Holdings: Sendable {
    var inheritance = Inheritance()
    var listeners: [Listener] = []
    var stateProvider: (@Sendable (inout StateWriter) throws -> Void)?
    var inheritedState: HandedState?
    var healthCheck: Heartbeat.Check?
    /// Names of stored descriptors that the application has asked for.
    var claimedNames: Set<String> = []
    /// Names of stored listeners that have another one now.
    var formerNames: Set<String> = []
    var isReady = false
    /// Leaving, and nobody comes after it.
    var isLast = false
}
