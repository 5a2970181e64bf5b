// SPDX-License-Identifier: Apache-2.0

/// The one thread on which the package's own state lives: the control socket, the channel, timers,
/// child processes.
///
/// A thread of its own, and not the cooperative pool: an operator must get an answer, and a
/// deadline must fire, while the application keeps every pool thread busy. Code isolated to it must
/// never block. Public functions that come here are `@concurrent`: without that the caller's
/// task would go on here, and compute here.
@globalActor
package actor ControlThread {
    package static let shared = ControlThread()

    private let loop = ReadinessLoop.shared

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        loop.asUnownedSerialExecutor()
    }
}
