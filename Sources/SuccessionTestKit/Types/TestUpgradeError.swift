// SPDX-License-Identifier: Apache-2.0

public import SwapControl
import SystemPackage

/// Why a server under test could not be started, asked or looked at.
///
/// Compare ``code``; ``description`` is for the log of the test. An upgrade that fails is no error: see
/// ``UpgradeReport/failure``.
public struct TestUpgradeError: Error, Sendable, Hashable {
    /// A cause, for programs; minor versions may add causes.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The name of the cause.
        public let rawValue: String

        /// Makes a code from its name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The program cannot be executed.
        public static let cannotStart = Code(rawValue: "cannot-start")
        /// The server ended before it served.
        public static let ended = Code(rawValue: "ended")
        /// The server did not serve in time.
        public static let notReady = Code(rawValue: "not-ready")
        /// Another process listens on the port that the test asked for.
        public static let portInUse = Code(rawValue: "port-in-use")
        /// A request over the control socket failed; see ``TestUpgradeError/control``.
        public static let control = Code(rawValue: "control")
        /// A call came in the wrong order, or an argument makes no sense.
        public static let usage = Code(rawValue: "usage")
        /// The task was cancelled.
        public static let cancelled = Code(rawValue: "cancelled")
        /// A system call failed.
        public static let system = Code(rawValue: "system")
    }

    /// The cause, for programs.
    public let code: Code
    /// The cause, as a sentence.
    public let message: String
    /// What the server had written to standard output and standard error by then; empty if it was not started.
    public let output: String
    /// The failure of the request, for ``Code/control``; nil for any other cause.
    public let control: ControlError?

    init(_ code: Code, _ message: String, output: String = "", control: ControlError? = nil) {
        self.code = code
        self.message = message
        self.output = output
        self.control = control
    }

    init(_ error: ControlError, output: String) {
        self.init(
            error.code == .cancelled ? .cancelled : .control, error.message, output: output,
            control: error)
    }

    static func system(_ doing: String, _ errno: Errno) -> TestUpgradeError {
        TestUpgradeError(.system, "\(doing): \(errno)")
    }

    static let cancelled = TestUpgradeError(.cancelled, "the task was cancelled")
}

extension TestUpgradeError: CustomStringConvertible {
    /// The sentence, and the last lines that the server wrote.
    public var description: String {
        let lines = output.split(separator: "\n").suffix(20)
        return lines.isEmpty
            ? message : message + "; the server wrote:\n" + lines.joined(separator: "\n")
    }
}
