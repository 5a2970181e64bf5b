// SPDX-License-Identifier: Apache-2.0

/// Why something could not be had from the service manager, or said to it.
public struct ActivationError: Error, Sendable, CustomStringConvertible {
    /// Says what went wrong; compare against the static members.
    public struct Code: Sendable, Hashable {
        private let name: String

        /// libsystemd cannot be loaded, or the program was built without the trait `Systemd`.
        public static let noLibrary = Code(name: "noLibrary")
        /// The environment contradicts itself, or names descriptors that are not open.
        public static let malformedEnvironment = Code(name: "malformedEnvironment")
        /// The manager's socket did not take the message.
        public static let notDelivered = Code(name: "notDelivered")
        /// The manager did not take or answer a message in time.
        public static let timeout = Code(name: "timeout")
    }

    /// What went wrong, for programs.
    public let code: Code
    /// One sentence for a person.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
