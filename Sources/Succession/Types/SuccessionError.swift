// SPDX-License-Identifier: Apache-2.0

public import SystemPackage

/// What this package throws: a code to compare, a message to read, and the system's own reason if
/// there is one.
public struct SuccessionError: Error, Sendable, CustomStringConvertible {
    /// Says what went wrong; compare against the static members.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        let name: String
        /// The name of the code.
        public var description: String { name }

        /// The text is no address, or no address of a kind that can be listened on.
        public static let invalidAddress = Code(name: "invalidAddress")
        /// The service name cannot be the name of a directory.
        public static let invalidServiceName = Code(name: "invalidServiceName")
        /// The name cannot be that of a listener.
        public static let invalidName = Code(name: "invalidName")
        /// There is no runtime directory, or it cannot be used.
        public static let runtimeDirectory = Code(name: "runtimeDirectory")
        /// Another process serves this service.
        public static let alreadyServed = Code(name: "alreadyServed")
        /// The address is taken.
        public static let addressInUse = Code(name: "addressInUse")
        /// The address does not exist on this machine.
        public static let addressNotAvailable = Code(name: "addressNotAvailable")
        /// The system does not let this process do it.
        public static let permissionDenied = Code(name: "permissionDenied")
        /// A descriptor was inherited under this name, but it is of another type.
        public static let inheritedTypeMismatch = Code(name: "inheritedTypeMismatch")
        /// Descriptors or memory are used up.
        public static let resourcesExhausted = Code(name: "resourcesExhausted")
        /// The predecessor was lost, silent or broke the protocol before the hand-over was
        /// complete.
        public static let handoverFailed = Code(name: "handoverFailed")
        /// The predecessor called the upgrade off.
        public static let aborted = Code(name: "aborted")
        /// The successor refused what it was given.
        public static let refused = Code(name: "refused")
        /// The call came at a time at which it makes no sense.
        public static let invalidState = Code(name: "invalidState")
        /// The service manager's descriptors could not be read.
        public static let activation = Code(name: "activation")
        /// The task was cancelled while it waited.
        public static let cancelled = Code(name: "cancelled")
        /// A system call failed in a way none of the other codes names.
        public static let system = Code(name: "system")
    }

    /// What went wrong, for programs.
    public let code: Code
    /// One sentence for a person: what failed, on which path, address or process, and what to do.
    public let message: String
    /// The system's reason, where there is one.
    public let cause: Errno?

    /// An error with a code and a message; adapters throw their own.
    public init(_ code: Code, _ message: String, cause: Errno? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message, and the system's reason.
    public var description: String {
        cause.map { "\(message): \($0)" } ?? message
    }
}

extension SuccessionError {
    /// Gives an errno its code, where one of ours fits.
    static func system(_ what: String, _ errno: Errno) -> SuccessionError {
        let code: Code =
            switch errno {
            case .permissionDenied, .notPermitted: .permissionDenied
            case .addressInUse: .addressInUse
            case .addressNotAvailable: .addressNotAvailable
            case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory, .noBufferSpace:
                .resourcesExhausted
            default: .system
            }
        // A unit that takes its sockets from a socket unit need not let its service make any.
        let hint =
            errno == .addressFamilyNotSupported
            ? " (this process may make no such socket: start the socket unit with the service, or see RestrictAddressFamilies= of the unit)"
            : ""
        return SuccessionError(code, what + hint, cause: errno)
    }
}
