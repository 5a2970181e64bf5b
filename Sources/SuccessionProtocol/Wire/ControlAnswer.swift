// SPDX-License-Identifier: Apache-2.0

/// What a generation answered to an operator.
package enum ControlAnswer: Sendable, Hashable {
    case status(Wire.Status)
    case step(Wire.Step)
    case result(Wire.UpgradeResult)
    case draining(Wire.Draining)
    case drained(Wire.Drained)
    case aborted(Wire.Aborted)
    case reloaded(Wire.Reloaded)
    case refused(Failure)

    /// An answer that lacks the key without which it says nothing.
    case malformed(WireError)
    /// A kind that is no answer.
    case misplaced(Message.Kind)
    /// A kind of a later version.
    case unknown(String)

    package init(_ message: Message) {
        guard let kind = message.knownKind else {
            self = .unknown(message.kindName)
            return
        }
        do throws(WireError) {
            self = try Self.read(kind, message)
        } catch {
            self = .malformed(error)
        }
    }

    private static func read(
        _ kind: Message.Kind, _ message: Message
    ) throws(WireError) -> ControlAnswer {
        switch kind {
        case .status: .status(try Wire.Status(message))
        case .step: .step(try Wire.Step(message))
        case .result: .result(try Wire.UpgradeResult(message))
        case .draining: .draining(try Wire.Draining(message))
        case .drained: .drained(try Wire.Drained(message))
        case .aborted: .aborted(try Wire.Aborted(message))
        case .reloaded: .reloaded(try Wire.Reloaded(message))
        case .refused: .refused(Failure(message))
        case .hello, .offer, .state, .taken, .ready, .committed, .accepting, .leaving, .trouble,
            .abort, .upgrade, .drain, .stop, .reload:
            .misplaced(kind)
        }
    }
}
