// SPDX-License-Identifier: Apache-2.0

/// What an operator sent to a control socket.
package enum ControlRequest: Sendable, Hashable {
    case status
    case upgrade(Wire.Upgrade)
    case abort
    case drain(Wire.Drain)
    case stop
    case reload(Wire.Reload)

    /// No request: an answer to an answer.
    case refused(Failure)
    /// A request with a key that is wrong.
    case malformed(WireError)
    /// A kind that is no request.
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
    ) throws(WireError) -> ControlRequest {
        switch kind {
        case .status: .status
        case .upgrade: .upgrade(try Wire.Upgrade(message))
        case .abort: .abort
        case .drain: .drain(try Wire.Drain(message))
        case .stop: .stop
        case .reload: .reload(try Wire.Reload(message))
        case .refused: .refused(Failure(message))
        case .hello, .offer, .state, .taken, .ready, .committed, .accepting, .leaving, .draining,
            .drained, .trouble, .step, .result, .aborted, .reloaded:
            .misplaced(kind)
        }
    }
}
