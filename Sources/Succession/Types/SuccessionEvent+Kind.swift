// SPDX-License-Identifier: Apache-2.0

extension SuccessionEvent {
    /// What happened, for programs.
    ///
    /// Later versions may add cases, and a case keeps what it holds: new facts come in a new case. A
    /// `switch` in another package needs a `default` or `@unknown default`; Swift 6.2.3 and later
    /// insist on it. Codes are those of docs/protocol.md §1; pids are those of this process's
    /// namespace.
    #if compiler(>=6.2.3)
    @nonexhaustive
    #endif
    public enum Kind: Sendable, Hashable {
        /// Nothing that a program would act on.
        case note
        /// This generation accepts, that long after it began.
        case serving(after: Duration)
        /// A listener was inherited and nobody took it: it is closed.
        case leftOver(listener: String)
        /// A successor is about to be started; nil: the application or a signal asked.
        case upgradeStarted(requestedBy: Int32?)
        /// One step of an upgrade is done.
        case upgradeStep(name: String, duration: Duration)
        /// The upgrade failed and this generation serves on; 0: no successor was started.
        case upgradeFailed(code: String, successor: Int32, duration: Duration)
        /// An upgrade was asked for at a time at which there is none.
        case upgradeRefused(code: String)
        /// The successor accepts; nobody did for the time of `acceptGap`.
        case handedOver(successor: Int32, acceptGap: Duration, duration: Duration)
        /// This generation accepts nothing more.
        case drainBegan(connections: Int, deadline: Duration)
        /// It still has connections.
        case drainProgress(connections: Int, age: Duration, remaining: Duration)
        /// It has none any more; `cut` were closed by the deadline.
        case drainEnded(cut: Int, duration: Duration)
        /// The application has taken its new configuration.
        case reloaded(duration: Duration)
        /// It has not, and the old one is in force as far as is known.
        case reloadFailed(code: String)
        /// So many connections are open; see ``GenerationConfiguration/sampleInterval``.
        case sample(connections: Int)
    }
}
