// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

extension GenerationConfiguration {
    /// A signal by its name; one that has none here is made from its number.
    public struct Signal: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        /// The number on this system.
        public let rawValue: Int32

        /// The signal of this number.
        ///
        /// A number that is no signal's, or that of one that cannot be caught (SIGKILL, SIGSTOP), makes
        /// ``Generation/begin(_:configuration:)`` throw.
        public init(rawValue: Int32) {
            self.rawValue = rawValue
        }

        /// SIGHUP: a terminal was closed; to daemons, by custom, the wish that they reload.
        public static let hangUp = Signal(rawValue: Signals.hangUp)
        /// SIGINT: Ctrl-C in a terminal.
        public static let interrupt = Signal(rawValue: Signals.interrupt)
        /// SIGQUIT: Ctrl-\ in a terminal.
        public static let quit = Signal(rawValue: Signals.quit)
        /// SIGUSR1, of the program's own meaning.
        public static let userDefined1 = Signal(rawValue: Signals.user1)
        /// SIGUSR2, of the program's own meaning.
        public static let userDefined2 = Signal(rawValue: Signals.user2)
        /// SIGTERM: the usual request to end.
        public static let terminate = Signal(rawValue: Signals.terminate)

        /// `SIGTERM`, or `signal 42` for one without a name.
        public var description: String { Signals.name(rawValue) }
    }
}
