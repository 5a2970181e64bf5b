// SPDX-License-Identifier: Apache-2.0

extension PredecessorStateMachine {
    mutating func received(_ message: ChannelMessage) -> [Action] {
        switch message {
        case .hello(let features): receivedHello(features: features)
        case .taken(let batch, let descriptors):
            receivedTaken(batch: batch, descriptors: descriptors)
        case .takenState(let size): receivedTakenState(size: size)
        case .ready: receivedReady()
        case .readyWithout(let listeners): receivedReady(without: listeners)
        case .accepting: receivedAccepting()
        case .leaving: receivedLeaving()
        case .abort(let failure): receivedAbort(failure)
        // A refusal is never answered; what the successor does without shows soon enough.
        case .refused: []
        case .unknown(let kind): receivedUnknown(kind)
        case .offer: receivedOwn(.offer)
        case .state: receivedOwn(.state)
        case .committed: receivedOwn(.committed)
        case .draining: receivedOwn(.draining)
        case .drained: receivedOwn(.drained)
        case .misplaced(let kind):
            receivedWrong(
                Failure(
                    code: .unexpected, reason: "'\(kind.rawValue)' does not belong on the channel"))
        case .malformed(let reason): receivedWrong(Failure(code: .malformed, reason: reason))
        case .unsupportedVersion(let version): receivedWrong(.unsupportedVersion(version))
        case .descriptorMismatch(let reason):
            receivedWrong(Failure(code: .descriptor, reason: reason))
        }
    }

    private mutating func receivedOwn(_ kind: Message.Kind) -> [Action] {
        receivedWrong(
            Failure(code: .unexpected, reason: "'\(kind.rawValue)' is for the predecessor to send"))
    }
}

extension Failure {
    static func unsupportedVersion(_ version: Int) -> Failure {
        Failure(code: .version, reason: MessageError.unsupportedVersion(version).description)
    }
}
