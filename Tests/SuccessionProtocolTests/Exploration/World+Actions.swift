// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

// MARK: - The predecessor

extension World {
    mutating func predecessorHandles(
        _ event: PredecessorStateMachine.Event
    ) throws(Violation) {
        for action in predecessor.handle(event) { try perform(action) }
    }

    private mutating func perform(_ action: PredecessorStateMachine.Action) throws(Violation) {
        if action.isOnce, !actions.insert(action).inserted {
            throw Violation("the predecessor did twice: \(action)")
        }
        switch action {
        case .spawn: spawnPending = true
        case .abandonSpawn: spawnPending = false
        case .sendOffer(let batch): predecessorSends(offer(batch))
        case .sendState:
            guard setting.sendsState else { throw Violation("sends state nobody wants") }
            predecessorSends(.state(size: setting.stateSize ?? 0))
        case .pauseAccepting:
            guard !isRescue else { throw Violation("pauses what it has given up") }
            guard sawReady else { throw Violation("paused for a successor that is not ready") }
            guard acknowledgements >= setting.acknowledgements else {
                throw Violation("paused for a successor that has not taken everything")
            }
            accepting = .some
            pausePending = true
        case .sendCommitted:
            guard accepting == .none else { throw Violation("committed while accepting") }
            guard sawReady else { throw Violation("committed to one that is not ready") }
            predecessorSends(.committed)
        case .resumeAccepting:
            guard process == .dead || process == .hung else {
                throw Violation("resumed while the successor lives")
            }
            guard !isRescue else { throw Violation("accepts again while it drains") }
            guard !pausePending else { throw Violation("resumed before the pause ended") }
            accepting = .all
        case .drain:
            guard saidAccepting else { throw Violation("drains, and nobody accepts") }
            guard !actions.contains(.terminateSuccessor) else {
                throw Violation("drains, and has ended its successor")
            }
            drainPending = true
            predecessorSends(.draining)
        case .takeOver:
            guard drainPending, process == .dead else {
                throw Violation("takes the place of a successor that lives")
            }
            guard !saidLeaving || !toPredecessor.isEmpty else {
                throw Violation("takes the place of one that left")
            }
            // Another one is another attempt at the same: once is enough to see it.
            rescuePending = !isRescue
        case .letGo:
            guard drainPending else { throw Violation("lets go of what it accepts from") }
        case .sendAbort(let failure): predecessorSends(.abort(failure))
        case .sendRefusedUnknownKind:
            predecessorSends(.refused(Failure(code: .unknownKind, reason: "refused")))
        case .terminateSuccessor:
            // It may die of it, as at any other moment, or not.
            guard process != .notStarted else { throw Violation("no successor to signal") }
        case .killSuccessor:
            if process == .alive { successorHangs() }
        case .setDeadline(let new): deadline = new
        case .clearDeadline: deadline = nil
        case .step: break
        case .succeeded:
            guard drainPending else { throw Violation("succeeded without a drain") }
            guard !wasCancelled else { throw Violation("succeeded after it was cancelled") }
        case .failed:
            guard process != .alive else { throw Violation("failed, and the successor lives") }
            guard accepting == (isRescue ? .none : .all) else {
                throw Violation("failed, and accepting: \(accepting)")
            }
        }
    }

    private func offer(_ batch: Int) -> ChannelMessage {
        .offer(
            batch: batch, of: setting.batches.count, descriptors: setting.batches[batch - 1],
            total: setting.batches.reduce(0, +), hasState: predecessor.willSendState)
    }
}

extension PredecessorStateMachine.Action {
    /// Whether one attempt may do this only once.
    fileprivate var isOnce: Bool {
        switch self {
        case .setDeadline, .clearDeadline, .sendRefusedUnknownKind: false
        case .spawn, .abandonSpawn, .takeOver, .letGo, .sendOffer, .sendState, .pauseAccepting,
            .sendCommitted, .resumeAccepting,
            .drain, .sendAbort, .terminateSuccessor, .killSuccessor, .step, .succeeded, .failed:
            true
        }
    }
}

// MARK: - The successor

extension World {
    mutating func successorHandles(_ event: SuccessorStateMachine.Event) throws(Violation) {
        for action in successor.handle(event) { try perform(action) }
    }

    private mutating func perform(_ action: SuccessorStateMachine.Action) throws(Violation) {
        if action.isOnce, !successorActions.insert(action).inserted {
            throw Violation("the successor did twice: \(action)")
        }
        switch action {
        case .sendHello: successorSends(.hello(features: setting.features))
        case .takeBatch, .takeState: break
        case .sendTaken(let batch):
            successorSends(.taken(batch: batch, descriptors: setting.batches[batch - 1]))
        case .sendTakenState: successorSends(.takenState(size: setting.stateSize ?? 0))
        case .inheritanceComplete:
            guard tookEverything || hadStrayOffer else {
                throw Violation("has not taken everything")
            }
            inheritanceComplete = true
        case .sendReady: successorSends(.ready)
        case .startAccepting:
            guard applicationIsReady else { throw Violation("accepts before it is ready") }
            successorAccepting = true
            startPending = true
        case .sendAccepting:
            saidAccepting = true
            successorSends(.accepting)
        case .sendLeaving:
            guard saidAccepting else { throw Violation("leaves before it accepts") }
            saidLeaving = true
            successorSends(.leaving)
        case .serving:
            guard successorAccepting else { throw Violation("serves without accepting") }
        case .sendAbort(let failure):
            guard !successorAccepting || failure.code == .application else {
                throw Violation("left nobody accepting: \(failure)")
            }
            successorSends(.abort(failure))
        case .sendRefusedUnknownKind:
            successorSends(.refused(Failure(code: .unknownKind, reason: "refused")))
        case .fail(let failure):
            try checkGivesUp(failure)
            mustExit = true
            channelOpen = false
            toSuccessor = []
        case .predecessorGone:
            guard successorSawEndOfFile, !predecessorAlive else {
                throw Violation("took the predecessor for dead")
            }
        case .setDeadline(let new): successorDeadline = new
        case .clearDeadline: successorDeadline = nil
        }
    }
}

extension World {
    private var tookEverything: Bool {
        (1...setting.batches.count).allSatisfy { successorActions.contains(.takeBatch($0)) }
            && (!setting.sendsState || successorActions.contains(.takeState))
    }

    private func checkGivesUp(_ failure: Failure) throws(Violation) {
        let serves = [true, false].contains {
            successorActions.contains(.serving(predecessorAlive: $0))
        }
        if serves { throw Violation("gave up while it serves") }
        guard successorSawEndOfFile, inheritanceComplete, failure.code != .application else {
            return
        }
        throw Violation("gave up, and the predecessor is dead")
    }
}

extension SuccessorStateMachine.Action {
    /// Whether one hand-over may do this only once.
    fileprivate var isOnce: Bool {
        switch self {
        case .setDeadline, .clearDeadline, .sendRefusedUnknownKind: false
        case .sendHello, .takeBatch, .sendTaken, .takeState, .sendTakenState,
            .inheritanceComplete, .sendReady, .startAccepting, .sendAccepting,
            .sendLeaving, .serving,
            .sendAbort, .fail, .predecessorGone:
            true
        }
    }
}
