// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

/// What the two machines of the hand-over want.
extension World {
    mutating func predecessorHandles(
        _ event: PredecessorStateMachine.Event
    ) throws(Violation) {
        for action in predecessor.handle(event) { try perform(action) }
    }

    private mutating func perform(_ action: PredecessorStateMachine.Action) throws(Violation) {
        if let number = action.onceNumber, !done.insert(number) {
            throw Violation("the predecessor did twice: \(action)")
        }
        switch action {
        case .spawn: spawnPending = true
        case .abandonSpawn: spawnPending = false
        case .sendOffer(let batch): predecessorSends(offer(batch))
        case .sendState:
            guard setting.sendsState else { throw Violation("sends state nobody wants") }
            predecessorSends(.state(size: setting.stateSize ?? 0))
        case .pauseAccepting: try lifeHandles(.successorReady)
        case .abandonPause: try lifeHandles(.pauseAbandoned)
        case .sendCommitted:
            guard accepting == .none else { throw Violation("committed while accepting") }
            guard sawReady else { throw Violation("committed to one that is not ready") }
            predecessorSends(.committed)
            try lifeHandles(.committed)
        case .resumeAccepting: try lifeHandles(.resumptionNeeded)
        case .drain:
            guard saidAccepting else { throw Violation("drains, and nobody accepts") }
            guard !done.contains(PredecessorStateMachine.Action.terminateNumber) else {
                throw Violation("drains, and has ended its successor")
            }
            try lifeHandles(.succeeded(drainDeadline: nil))
        case .takeOver:
            guard drainPending, process == .dead else {
                throw Violation("takes the place of a successor that lives")
            }
            guard !saidLeaving || !toPredecessor.isEmpty else {
                throw Violation("takes the place of one that left")
            }
            // The driver closes the channel.
            sawEndOfFile = true
            toPredecessor = []
            try lifeHandles(.successorDied(.numbered(9)))
        case .letGo:
            guard drainPending else { throw Violation("lets go of what it accepts from") }
            try lifeHandles(.successorLeft)
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
            try lifeHandles(.attemptEnded(nil))
        case .failed(let failure):
            guard process != .alive else { throw Violation("failed, and the successor lives") }
            guard isRescue || accepting == .all || orders.last == .resume else {
                throw Violation("failed, and does not accept again")
            }
            try lifeHandles(.attemptEnded(failure))
        }
    }

    private func offer(_ batch: Int) -> ChannelMessage {
        .offer(
            batch: batch, of: setting.batches.count, descriptors: setting.batches[batch - 1],
            total: setting.batches.reduce(0, +), hasState: predecessor.willSendState)
    }
}

extension PredecessorStateMachine.Action {
    static let terminateNumber = 10

    /// A number for what one attempt may do only once.
    fileprivate var onceNumber: Int? {
        switch self {
        case .setDeadline, .clearDeadline, .sendRefusedUnknownKind: nil
        case .spawn: 0
        case .abandonSpawn: 1
        case .sendState: 2
        case .pauseAccepting: 3
        case .sendCommitted: 4
        case .resumeAccepting: 5
        case .drain: 6
        case .takeOver: 7
        case .letGo: 8
        case .sendAbort: 9
        case .terminateSuccessor: Self.terminateNumber
        case .killSuccessor: 11
        // One of both.
        case .succeeded, .failed: 12
        case .step(.start, let progress): progress == .started ? 13 : 14
        case .step(.offer, let progress): progress == .started ? 15 : 16
        case .step(.ready, let progress): progress == .started ? 17 : 18
        case .step(.commit, let progress): progress == .started ? 19 : 20
        case .abandonPause: 21
        case .sendOffer(let batch): 21 + batch
        }
    }
}

// MARK: - The successor

extension World {
    mutating func successorHandles(_ event: SuccessorStateMachine.Event) throws(Violation) {
        for action in successor.handle(event) { try perform(action) }
    }

    private mutating func perform(_ action: SuccessorStateMachine.Action) throws(Violation) {
        if let number = action.onceNumber, !successorDone.insert(number) {
            throw Violation("the successor did twice: \(action)")
        }
        switch action {
        case .sendHello: successorSends(.hello(features: setting.features))
        case .takeBatch(let batch):
            // The lock is the last descriptor of the offer.
            if batch == setting.batches.count { successorHoldsLock = true }
        case .takeState: break
        case .sendTaken(let batch):
            successorSends(.taken(batch: batch, descriptors: setting.batches[batch - 1]))
        case .sendTakenState: successorSends(.takenState(size: setting.stateSize ?? 0))
        case .inheritanceComplete:
            guard tookEverything || hadStrayOffer else {
                throw Violation("has not taken everything")
            }
            successorLife = GenerationLifecycle(
                .successor, deadlines: .explored)
            try successorLifeHandles(.began(setting.manager))
        case .sendReady: successorSends(.ready)
        case .startAccepting: try successorLifeHandles(.turn)
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
            guard !successorAccepting || [.application, .operator].contains(failure.code) else {
                throw Violation("left nobody accepting: \(failure)")
            }
            successorSends(.abort(failure))
        case .sendRefusedUnknownKind:
            successorSends(.refused(Failure(code: .unknownKind, reason: "refused")))
        case .fail(let failure):
            try checkGivesUp(failure)
            // Before everything is taken there is no generation yet.
            if successorLife == nil {
                endHandover()
            } else {
                try successorLifeHandles(.handoverFailed)
            }
        case .predecessorGone:
            guard successorSawEndOfFile, !predecessorAlive else {
                throw Violation("took the predecessor for dead")
            }
            try successorLifeHandles(.predecessorGone)
        case .setDeadline(let new): successorDeadline = new
        case .clearDeadline: successorDeadline = nil
        }
    }

    mutating func endHandover() {
        exits = .died
        channelOpen = false
        toSuccessor = []
    }

    private var tookEverything: Bool {
        (1...setting.batches.count).allSatisfy {
            successorDone.contains(SuccessorStateMachine.Action.batchNumber($0))
        }
            && (!setting.sendsState
                || successorDone.contains(SuccessorStateMachine.Action.stateNumber))
    }

    private func checkGivesUp(_ failure: Failure) throws(Violation) {
        if successorDone.contains(SuccessorStateMachine.Action.servingNumber) {
            throw Violation("gave up while it serves")
        }
        guard successorSawEndOfFile, successorLife != nil,
            ![.application, .operator].contains(failure.code)
        else { return }
        throw Violation("gave up, and the predecessor is dead")
    }
}

extension SuccessorStateMachine.Action {
    fileprivate static let stateNumber = 0
    fileprivate static let servingNumber = 1
    fileprivate static func batchNumber(_ batch: Int) -> Int { 30 + batch }

    /// A number for what one hand-over may do only once.
    fileprivate var onceNumber: Int? {
        switch self {
        case .setDeadline, .clearDeadline, .sendRefusedUnknownKind: nil
        case .takeState: Self.stateNumber
        case .serving: Self.servingNumber
        case .sendHello: 2
        case .sendTakenState: 3
        case .inheritanceComplete: 4
        case .sendReady: 5
        case .startAccepting: 6
        case .sendAccepting: 7
        case .sendLeaving: 8
        case .sendAbort: 9
        case .fail: 10
        case .predecessorGone: 11
        case .sendTaken(let batch): 20 + batch
        case .takeBatch(let batch): Self.batchNumber(batch)
        }
    }
}
