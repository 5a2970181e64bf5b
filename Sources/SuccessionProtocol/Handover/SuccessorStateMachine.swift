// SPDX-License-Identifier: Apache-2.0

/// The successor's side of a hand-over: events in, actions out, no I/O (docs/protocol.md §2).
///
/// The driver performs the actions in the order given. Of the actions only `inheritanceComplete`
/// and `startAccepting` may cause an event before they return, and each is the last of its list.
/// What the machine leaves to the driver to bound: `startAccepting` must be answered by `started`
/// or `applicationFailed`. Wrong descriptors are fed as `descriptorMismatch` in place of their
/// message, or, if they are compared with the manifest only when all are there, as
/// `applicationFailed`.
package struct SuccessorStateMachine: Sendable, Hashable {
    package internal(set) var state: State = .idle

    package init() {}

    package mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .begin: begin()
        case .received(let message): received(message)
        case .endOfFile: endOfFile()
        case .deadlineExpired: deadlineExpired()
        case .applicationReady: applicationReady()
        case .applicationFailed(let failure): applicationFailed(failure)
        case .started: started()
        case .leaves: leaves()
        }
    }

    private mutating func begin() -> [Action] {
        // A generation succeeds once.
        guard case .idle = state else { return [] }
        state = .greeting
        return [.setDeadline(.answer), .sendHello]
    }
}

// MARK: - Taking

extension SuccessorStateMachine {
    mutating func receivedOffer(
        batch: Int, of batches: Int, descriptors: Int, total: Int, hasState: Bool
    ) -> [Action] {
        let taken: Offer
        switch state {
        case .greeting:
            taken = Offer(
                batchesTaken: 0, batches: batches, descriptorsTaken: 0, descriptors: total,
                hasState: hasState)
        case .taking(let offer):
            taken = offer
        case .idle, .takingState, .inherited, .orphaned, .readying, .starting, .serving, .failed:
            return unexpected("offer")
        }
        var offer = taken
        offer.batchesTaken += 1
        offer.descriptorsTaken += descriptors
        guard batch == offer.batchesTaken else {
            let reason = "batch \(batch) came in place of \(offer.batchesTaken)"
            return receivedWrong(Failure(code: .unexpected, reason: reason))
        }
        guard batches == offer.batches, total == offer.descriptors, hasState == offer.hasState
        else {
            let reason = "batch \(batch) contradicts those before it"
            return receivedWrong(Failure(code: .malformed, reason: reason))
        }
        return took(offer)
    }

    private mutating func took(_ offer: Offer) -> [Action] {
        let isLast = offer.batchesTaken == offer.batches
        let count = offer.descriptorsTaken
        guard isLast ? count == offer.descriptors : count <= offer.descriptors else {
            let reason =
                "\(count) descriptors came in \(offer.batchesTaken) batches; "
                + "\(offer.descriptors) were announced in \(offer.batches)"
            return receivedWrong(Failure(code: .malformed, reason: reason))
        }
        let batch = offer.batchesTaken
        let take: [Action] = [.takeBatch(batch), .sendTaken(batch: batch)]
        guard isLast else {
            state = .taking(offer)
            return take + [.setDeadline(.answer)]
        }
        guard offer.hasState else { return take + inherit() }
        state = .takingState
        return take + [.setDeadline(.answer)]
    }

    mutating func receivedState() -> [Action] {
        guard case .takingState = state else { return unexpected("state") }
        return [.takeState, .sendTakenState] + inherit()
    }

    private mutating func inherit() -> [Action] {
        state = .inherited
        return [.clearDeadline, .inheritanceComplete]
    }
}

// MARK: - Becoming the one that serves

extension SuccessorStateMachine {
    private mutating func applicationReady() -> [Action] {
        switch state {
        case .inherited:
            state = .readying
            return [.setDeadline(.commit), .sendReady]
        case .orphaned:
            state = .starting(predecessorAlive: false)
            return [.startAccepting]
        case .idle, .greeting, .taking, .takingState:
            // An application that has not been given its listeners cannot be ready.
            return []
        case .readying, .starting, .serving:
            // Once is enough.
            return []
        case .failed:
            // It was told, or will be at once.
            return []
        }
    }

    mutating func receivedCommitted() -> [Action] {
        guard case .readying = state else { return unexpected("committed") }
        state = .starting(predecessorAlive: true)
        return [.clearDeadline, .startAccepting]
    }

    private mutating func started() -> [Action] {
        switch state {
        case .starting(predecessorAlive: true):
            state = .serving(predecessorAlive: true)
            return [.sendAccepting, .serving(predecessorAlive: true)]
        case .starting(predecessorAlive: false):
            state = .serving(predecessorAlive: false)
            return [.serving(predecessorAlive: false)]
        case .failed:
            // The predecessor took it back while the acceptors were being started; the process
            // ends.
            return []
        case .idle, .greeting, .taking, .takingState, .inherited, .orphaned, .readying, .serving:
            // Nothing was to be started, or it was started before.
            return []
        }
    }

    private mutating func leaves() -> [Action] {
        switch state {
        case .serving(predecessorAlive: true):
            return [.sendLeaving]
        case .serving(predecessorAlive: false):
            // Nobody waits to take its place.
            return []
        case .idle, .greeting, .taking, .takingState, .inherited, .orphaned, .readying, .starting,
            .failed:
            // One that does not accept yet refuses instead.
            return []
        }
    }

    private mutating func applicationFailed(_ failure: Failure) -> [Action] {
        switch state {
        case .idle:
            state = .failed(failure)
            return [.fail(failure)]
        case .greeting, .taking, .takingState, .inherited, .readying,
            .starting(predecessorAlive: true):
            return abort(failure)
        case .orphaned, .starting(predecessorAlive: false):
            return fail(failure)
        case .serving:
            // Too late to refuse: the predecessor drains.
            return []
        case .failed:
            // It ends already, for another reason.
            return []
        }
    }
}
