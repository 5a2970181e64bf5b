// SPDX-License-Identifier: Apache-2.0

/// The predecessor's side of one upgrade: events in, actions out, no I/O (docs/protocol.md §2).
///
/// One value is one attempt. The driver feeds it what happens and performs the actions in the order
/// given. Of the actions only `spawn` and `pauseAccepting` may cause an event before they return,
/// and each is the last of its list. What the machine leaves to the driver to bound: `spawn` and
/// `pauseAccepting` must be answered, whatever happens to them.
package struct PredecessorStateMachine: Sendable, Hashable {
    package internal(set) var state: State = .idle
    /// The step under way, or the one at which the attempt ended.
    package internal(set) var step: Step = .start
    /// Whether the successor gets the state; known once it said hello.
    package internal(set) var willSendState = false

    /// Batches that may be under way at once.
    ///
    /// More would not be faster, and the kernel lets a user have only as many descriptors in flight
    /// as one process may have open.
    private static let window = 3

    private let batches: [Int]
    private let stateSize: Int?

    /// - Parameters:
    ///   - batches: the number of descriptors of each batch; no batch at all is one empty batch.
    ///   - stateSize: bytes of state, nil if there is none.
    package init(batches: [Int], stateSize: Int?) {
        self.batches = batches.isEmpty ? [0] : batches
        self.stateSize = stateSize
    }

    package mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .begin: begin()
        case .spawned: spawned()
        case .spawnFailed(let failure): spawnFailed(failure)
        case .received(let message): received(message)
        case .endOfFile: endOfFile()
        case .successorExited: successorExited()
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
        state = .starting(cancelled: nil)
        return [.step(.start, .started), .spawn]
    }

    private mutating func spawned() -> [Action] {
        // Only `spawn` is answered by this, and it is asked for once.
        guard case .starting(let cancelled) = state else { return [] }
        state = .awaitingHello
        if let cancelled { return end(cancelled, .byAbort) }
        step = .offer
        return [.step(.start, .done), .setDeadline(.ready), .step(.offer, .started)]
    }

    private mutating func spawnFailed(_ failure: Failure) -> [Action] {
        // As above. Who cancelled meanwhile is told so: the failed start is no news to them.
        guard case .starting(let cancelled) = state else { return [] }
        let cause = cancelled ?? failure
        state = .failed(cause)
        return [.failed(cause)]
    }
}

// MARK: - The hand-over

extension PredecessorStateMachine {
    mutating func receivedHello(features: [String]) -> [Action] {
        guard case .awaitingHello = state else { return unexpected("hello") }
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
            return end(Failure(code: .acknowledgement, reason: reason), .byAbort)
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
            return end(Failure(code: .acknowledgement, reason: reason), .byAbort)
        }
        return offered()
    }

    private mutating func offered() -> [Action] {
        state = .awaitingReady
        step = .ready
        return [.step(.offer, .done), .step(.ready, .started)]
    }

    mutating func receivedReady() -> [Action] {
        guard case .awaitingReady = state else { return unexpected("ready") }
        state = .pausing
        step = .commit
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
            .committed, .succeeded, .failed:
            // Nobody was asked to pause, or it was answered before.
            return []
        }
    }

    private mutating func pauseFailed(_ reason: String) -> [Action] {
        switch state {
        case .pausing:
            return end(Failure(code: .pause, reason: reason), .byAbort, pauseIsPending: false)
        case .ending(var ending):
            // The upgrade has failed for another reason already.
            ending.pauseIsPending = false
            return proceed(ending)
        case .idle, .starting, .awaitingHello, .offering, .offeringState, .awaitingReady,
            .committed, .succeeded, .failed:
            // Nobody was asked to pause, or it was answered before.
            return []
        }
    }

    mutating func receivedAccepting() -> [Action] {
        guard case .committed = state else { return unexpected("accepting") }
        state = .succeeded
        return [.clearDeadline, .step(.commit, .done), .drain, .succeeded]
    }
}
