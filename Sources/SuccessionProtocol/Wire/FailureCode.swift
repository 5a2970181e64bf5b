// SPDX-License-Identifier: Apache-2.0

/// Why an upgrade or a request failed, for programs (`CODE=`).
///
/// A struct and no enum: a later version may send codes that this one only passes on.
package struct FailureCode: RawRepresentable, Sendable, Hashable {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    private init(_ rawValue: String) {
        self.rawValue = rawValue
    }
}

extension FailureCode {
    /// The peer speaks another major version.
    package static let version = FailureCode("version")
    /// The kind of the message is not known.
    package static let unknownKind = FailureCode("unknown-kind")
    /// The packet is not a message, or lacks something.
    package static let malformed = FailureCode("malformed")
    /// A known kind at the wrong time.
    package static let unexpected = FailureCode("unexpected")
    /// Wrong count or number in `taken`.
    package static let acknowledgement = FailureCode("acknowledgement")
    /// A descriptor is not what the manifest says.
    package static let descriptor = FailureCode("descriptor")
    /// A deadline passed.
    package static let timeout = FailureCode("timeout")
    /// The successor will not have the state.
    package static let state = FailureCode("state")
    /// The application gave up for a reason of its own.
    package static let application = FailureCode("application")
    /// An upgrade is running.
    package static let busy = FailureCode("busy")
    /// The peer may not ask.
    package static let permission = FailureCode("permission")
    /// The successor could not be executed.
    package static let start = FailureCode("start")
    /// The successor ended before it was ready.
    package static let exited = FailureCode("exited")
    /// The successor closed the channel before it was ready.
    package static let channel = FailureCode("channel")
    /// The successor has not taken every listener, and the operator asked for that.
    package static let leftOver = FailureCode("left-over")
    /// The predecessor could not stop accepting.
    package static let pause = FailureCode("pause")
    /// An operator called the upgrade off, or told a side of it to leave.
    package static let `operator` = FailureCode("operator")
    /// Asked of a generation that does not serve.
    package static let notServing = FailureCode("not-serving")
    /// No upgrade runs that could be called off.
    package static let noUpgrade = FailureCode("no-upgrade")
    /// The successor has taken over: the upgrade cannot be called off any more.
    package static let tooLate = FailureCode("too-late")
    /// As many generations live as may.
    package static let generations = FailureCode("generations")
    /// The parent of the server waits for this process alone.
    package static let parent = FailureCode("parent")
    /// The application let a request go without an answer.
    package static let unanswered = FailureCode("unanswered")
    /// The application does not take such requests.
    package static let unsupported = FailureCode("unsupported")
}
