// SPDX-License-Identifier: Apache-2.0

/// What the threads of a server and the control thread both read and write, under one lock.
struct SharedState: Sendable {
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
