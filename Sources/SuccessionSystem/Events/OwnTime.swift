// SPDX-License-Identifier: Apache-2.0

/// How long this process has stood still: stopped by a signal or a debugger, frozen with its
/// control group, or kept from running by others.
///
/// The deadlines of a hand-over say how long the other side may take to answer. What of that time
/// this process has not lived itself says nothing about the other side, which was most likely
/// frozen along with it.
package struct OwnTime: Sendable, Hashable {
    /// The longest wait after which it can be told how much of it was none.
    package static let tick: UInt64 = 250_000_000
    /// What a busy machine keeps a thread from running is part of the other side's time too.
    package static let tolerance: UInt64 = 250_000_000

    /// In nanoseconds.
    package private(set) var stoodStill: UInt64 = 0
    private var lastSeen: UInt64

    package init(now: UInt64) {
        lastSeen = now
    }

    /// To be called before and after each wait.
    ///
    /// - Parameter meant: how long the wait was to last, in nanoseconds; what lies beyond it, the
    ///   process did not run.
    package mutating func isAwake(at now: UInt64, afterWaiting meant: UInt64 = 0) {
        let elapsed = now > lastSeen ? now - lastSeen : 0
        lastSeen = now
        guard elapsed > meant, elapsed - meant > Self.tolerance else { return }
        stoodStill &+= elapsed - meant
    }
}
