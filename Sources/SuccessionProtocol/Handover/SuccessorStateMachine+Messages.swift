// SPDX-License-Identifier: Apache-2.0

extension SuccessorStateMachine {
    mutating func received(_ message: ChannelMessage) -> [Action] {
        switch message {
        case .offer(let batch, let batches, let descriptors, let total, let hasState):
            receivedOffer(
                batch: batch, of: batches, descriptors: descriptors, total: total,
                hasState: hasState)
        case .state: receivedState()
        case .committed: receivedCommitted()
        case .draining: receivedDrainProgress("draining")
        case .drained: receivedDrainProgress("drained")
        case .abort(let failure): receivedAbort(failure)
        // A refusal is never answered; what the predecessor does without shows soon enough.
        case .refused: []
        case .unknown(let kind): receivedUnknown(kind)
        case .hello: receivedOwn(.hello)
        case .taken, .takenState: receivedOwn(.taken)
        case .ready, .readyWithout: receivedOwn(.ready)
        case .accepting: receivedOwn(.accepting)
        case .leaving: receivedOwn(.leaving)
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
            Failure(code: .unexpected, reason: "'\(kind.rawValue)' is for the successor to send"))
    }
}
