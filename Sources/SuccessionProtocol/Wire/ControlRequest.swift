// SPDX-License-Identifier: Apache-2.0

/// What an operator asks for.
package enum ControlRequest: Sendable, Hashable {
    case status
    case upgrade(Wire.Upgrade)
    case abort
    case drain(Wire.Drain)
    case stop
    case reload(Wire.Reload)

    /// What came where a request is expected.
    package enum Arrival: Sendable, Hashable {
        case request(ControlRequest)
        /// An answer to an answer.
        case refused(Failure)
        /// A request with a key that is wrong.
        case malformed(WireError)
        /// A kind that is no request.
        case misplaced(Message.Kind)
        /// A kind of a later version.
        case unknown(String)
    }
}

extension ControlRequest.Arrival {
    package init(_ message: Message) {
        guard let kind = message.kind else {
            self = .unknown(message.kindName)
            return
        }
        do throws(WireError) {
            self = try Self.read(kind, message)
        } catch {
            self = .malformed(error)
        }
    }

    private static func read(_ kind: Message.Kind, _ message: Message) throws(WireError) -> Self {
        switch kind {
        case .status: .request(.status)
        case .upgrade: .request(.upgrade(try Wire.Upgrade(message)))
        case .abort: .request(.abort)
        case .drain: .request(.drain(try Wire.Drain(message)))
        case .stop: .request(.stop)
        case .reload: .request(.reload(try Wire.Reload(message)))
        case .refused: .refused(Failure(message))
        case .hello, .offer, .state, .taken, .ready, .committed, .accepting, .leaving, .draining,
            .drained, .trouble, .step, .result, .aborted, .reloaded:
            .misplaced(kind)
        }
    }
}
