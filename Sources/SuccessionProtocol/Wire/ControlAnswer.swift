// SPDX-License-Identifier: Apache-2.0

/// What a generation answers to an operator.
package enum ControlAnswer: Sendable, Hashable {
    case status(Wire.Status)
    case step(Wire.Step)
    case result(Wire.UpgradeResult)
    case draining(Wire.Draining)
    case drained(Wire.Drained)
    case aborted(Wire.Aborted)
    case reloaded(Wire.Reloaded)
    /// An answer that lacks a key without which it says nothing.
    case malformed(WireError)
    /// A kind that is no answer.
    case misplaced(Message.Kind)

    /// What came where an answer is expected.
    package enum Arrival: Sendable, Hashable {
        case answer(ControlAnswer)
        case refused(Failure)
        /// A kind of a later version.
        case unknown(String)
    }
}

extension ControlAnswer.Arrival {
    package init(_ message: Message) {
        guard let kind = message.kind else {
            self = .unknown(message.kindName)
            return
        }
        do throws(WireError) {
            self = try Self.read(kind, message)
        } catch {
            self = .answer(.malformed(error))
        }
    }

    private static func read(_ kind: Message.Kind, _ message: Message) throws(WireError) -> Self {
        switch kind {
        case .status: .answer(.status(try Wire.Status(message)))
        case .step: .answer(.step(try Wire.Step(message)))
        case .result: .answer(.result(try Wire.UpgradeResult(message)))
        case .draining: .answer(.draining(try Wire.Draining(message)))
        case .drained: .answer(.drained(try Wire.Drained(message)))
        case .aborted: .answer(.aborted(try Wire.Aborted(message)))
        case .reloaded: .answer(.reloaded(try Wire.Reloaded(message)))
        case .refused: .refused(Failure(message))
        case .hello, .offer, .state, .taken, .ready, .committed, .accepting, .leaving, .trouble,
            .abort, .upgrade, .drain, .stop, .reload:
            .answer(.misplaced(kind))
        }
    }
}
