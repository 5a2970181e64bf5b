// SPDX-License-Identifier: Apache-2.0

/// The predecessor's side of one upgrade: events in, actions out, no I/O (docs/protocol.md §2).
///
/// One value is one attempt. The driver feeds it what happens and performs the actions in the order
/// given. Of the actions only `spawn` and `pauseAccepting` may cause an event before they return,
/// and each is the last of its list. What the machine leaves to the driver to bound:
/// `pauseAccepting` must be answered, whatever happens to it.
package struct PredecessorStateMachine: Sendable, Hashable {
    package internal(set) var state: State = .idle
    /// The step under way, or the one at which the attempt ended.
    package internal(set) var step: Step = .start
    /// Whether the successor gets the state; known once it said hello.
    package internal(set) var willSendState = false
    /// Whether the successor says when it leaves, so that any other end of it is a death.
    package internal(set) var guardsSuccessor = false
    /// What the successor says it has not taken and will close.
    package internal(set) var untaken: [String] = []

    /// Batches that may be under way at once.
    ///
    /// More would not be faster, and the kernel lets a user have only as many descriptors in flight
    /// as one process may have open.
    private static let window = 3

    private let batches: [Int]
    private let stateSize: Int?
    /// The operator will not have a successor that leaves a listener.
    private let wantsAllTaken: Bool
    /// This side drains, and its successor has died: it accepts no more, whatever comes of this
    /// attempt.
    let isDraining: Bool

    /// - Parameters:
    ///   - batches: the number of descriptors of each batch; no batch at all is one empty batch.
    ///   - stateSize: bytes of state, nil if there is none.
    ///   - isDraining: this side drains already, after a successor that died.
    ///   - wantsAllTaken: a successor that leaves a listener is called off.
    package init(
        batches: [Int], stateSize: Int?, isDraining: Bool = false, wantsAllTaken: Bool = false
    ) {
        self.batches = batches.isEmpty ? [0] : batches
        self.stateSize = stateSize
        self.isDraining = isDraining
        self.wantsAllTaken = wantsAllTaken
    }

    package mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .begin: begin()
        case .spawned: spawned()
        case .spawnFailed(let failure): spawnFailed(failure)
        case .received(let message): received(message)
        case .endOfFile: endOfFile()
        case .successorExited: successorExited()
        case .successorLeft: successorLeft()
        case .deadlineExpired: deadlineExpired()
        case .paused: paused()
        case .pauseFailed(let reason): pauseFailed(reason)
        case .cancelled(let reason): cancelled(Failure(code: .operator, reason: reason))
        case .sendFailed(let failure): cancelled(failure)
        }
    }
}

// MARK: - Starting the successor

extension PredecessorStateMachine {
    private mutating func begin() -> [Action] {
        // An attempt begins once.
        guard case .idle = state else { return [] }
        state = .starting
        return [.step(.start, .started), .setDeadline(.ready), .spawn]
    }

    private mutating func spawned() -> [Action] {
        // Only `spawn` is answered by this, and not if it was abandoned.
        guard case .starting = state else { return [] }
        state = .awaitingHello
        step = .offer
        return [.step(.start, .done), .step(.offer, .started)]
    }

    private mutating func spawnFailed(_ failure: Failure) -> [Action] {
        // As above.
        guard case .starting = state else { return [] }
        state = .failed(failure)
        return [.clearDeadline, .failed(failure)]
    }

    /// A start that nobody waits for any more: whatever becomes of it, it has no channel.
    mutating func abandon(_ failure: Failure) -> [Action] {
        state = .failed(failure)
        return [.clearDeadline, .abandonSpawn, .failed(failure)]
    }
}

// MARK: - The hand-over

extension PredecessorStateMachine {
    mutating func receivedHello(features: [String]) -> [Action] {
        guard case .awaitingHello = state else { return unexpected("hello") }
        guardsSuccessor = features.contains("leaving")
        willSendState =
            switch stateSize {
            case nil: false
            case .some(...Message.maximumInlineState): features.contains("state")
            case .some: features.contains("memfd")
            }
        state = .offering(batch: 1)
        return (1...min(Self.window, batches.count)).map { .sendOffer(batch: $0) }
    }

    mutating func receivedTaken(batch: Int, descriptors: Int) -> [Action] {
        guard case .offering(let current) = state else { return unexpected("taken") }
        let expected = batches[current - 1]
        guard batch == current, descriptors == expected else {
            let reason =
                "the successor says it took \(descriptors) descriptors of batch \(batch); "
                + "\(expected) of batch \(current) were sent"
            return end(Failure(code: .acknowledgement, reason: reason), .abort)
        }
        if current < batches.count {
            state = .offering(batch: current + 1)
            let next = current + Self.window
            return next <= batches.count ? [.sendOffer(batch: next)] : []
        }
        guard willSendState else { return offered() }
        state = .offeringState
        return [.sendState]
    }

    mutating func receivedTakenState(size: Int) -> [Action] {
        guard case .offeringState = state else { return unexpected("taken") }
        guard size == stateSize else {
            let reason =
                "the successor says it took \(size) bytes of state; \(stateSize ?? 0) were sent"
            return end(Failure(code: .acknowledgement, reason: reason), .abort)
        }
        return offered()
    }

    private mutating func offered() -> [Action] {
        state = .awaitingReady
        step = .ready
        return [.step(.offer, .done), .step(.ready, .started)]
    }

    mutating func receivedReady(without untaken: [String] = []) -> [Action] {
        guard case .awaitingReady = state else { return unexpected("ready") }
        self.untaken = untaken
        if wantsAllTaken, !untaken.isEmpty {
            let reason =
                "the successor was ready, and has not taken \(untaken.joined(separator: ", "))"
            return end(Failure(code: .leftOver, reason: reason), .abort)
        }
        step = .commit
        if isDraining {
            state = .committed
            return [
                .step(.ready, .done), .step(.commit, .started), .setDeadline(.accepting),
                .sendCommitted,
            ]
        }
        state = .pausing
        return [
            .step(.ready, .done), .step(.commit, .started), .setDeadline(.accepting),
            .pauseAccepting,
        ]
    }

    private mutating func paused() -> [Action] {
        switch state {
        case .pausing:
            state = .committed
            return [.setDeadline(.accepting), .sendCommitted]
        case .ending(var ending):
            ending.pauseIsPending = false
            return proceed(ending)
        case .idle, .starting, .awaitingHello, .offering, .offeringState, .awaitingReady,
            .committed, .succeeded, .relieved, .failed:
            // Nobody was asked to pause, or it was answered before.
            return []
        }
    }

    private mutating func pauseFailed(_ reason: String) -> [Action] {
        switch state {
        case .pausing:
            return end(Failure(code: .pause, reason: reason), .abort, pauseIsPending: false)
        case .ending(var ending):
            // The upgrade has failed for another reason already.
            ending.pauseIsPending = false
            return proceed(ending)
        case .idle, .starting, .awaitingHello, .offering, .offeringState, .awaitingReady,
            .committed, .succeeded, .relieved, .failed:
            // Nobody was asked to pause, or it was answered before.
            return []
        }
    }

    mutating func receivedAccepting() -> [Action] {
        guard case .committed = state else { return unexpected("accepting") }
        state = guardsSuccessor ? .succeeded : .relieved
        return [.clearDeadline, .step(.commit, .done)]
            + (isDraining ? [] : [.drain]) + (guardsSuccessor ? [] : [.letGo]) + [.succeeded]
    }

    mutating func receivedLeaving() -> [Action] {
        switch state {
        case .succeeded:
            state = .relieved
            return [.letGo]
        case .relieved:
            // It has been said, or is of no interest.
            return []
        case .idle, .starting, .awaitingHello, .offering, .offeringState, .awaitingReady,
            .pausing, .committed, .ending, .failed:
            return unexpected("leaving")
        }
    }
}
