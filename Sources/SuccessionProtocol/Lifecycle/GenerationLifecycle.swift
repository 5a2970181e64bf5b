// SPDX-License-Identifier: Apache-2.0

/// The life of one generation: events in, actions out, no I/O (docs/protocol.md §2).
///
/// It decides when the generation accepts, who holds the lock, which process the service manager
/// takes for the main one, what a request is answered, and which deadline runs. The messages of a
/// hand-over are decided by ``PredecessorStateMachine`` and ``SuccessorStateMachine``; what they want
/// of the process is an event here.
///
/// The host feeds it what happens and performs the actions in the order given. An action that causes
/// an event before it returns is the last of its list. What the machine leaves to the host to bound:
/// `collectState`, `introduceSuccessor` and `giveBackMainProcess` carry their limit and are answered
/// by then; the acceptors answer when the application does, and one order after the other.
package struct GenerationLifecycle: Sendable, Hashable {
    package internal(set) var phase: Phase
    /// Whether this generation is somebody's successor.
    package let origin: Origin
    /// What the service manager is to this process.
    var manager = Manager.none
    let deadlines: HandoverDeadlines
    /// How many generations may live at once, this one and a successor among them; nil: any number.
    package let maximumGenerations: Int?

    /// The predecessor lives, as far as is known; false for the first of its line.
    package internal(set) var hasPredecessor: Bool
    /// The application is ready, so that a living predecessor may have made this process the main
    /// one.
    var isReady = false
    /// It was this generation's turn once.
    package internal(set) var hasAccepted = false
    /// The service's lock is held by this process, alone or together with its successor.
    package internal(set) var holdsLock: Bool

    /// - Parameters:
    ///   - holdsLock: the first of a line does; a successor does if it was offered the lock.
    ///   - maximumGenerations: how many may live at once, a successor among them; nil: any number.
    package init(
        _ origin: Origin, holdsLock: Bool = true,
        deadlines: HandoverDeadlines = HandoverDeadlines(), maximumGenerations: Int? = nil
    ) {
        phase = .starting(.building)
        self.origin = origin
        self.holdsLock = holdsLock
        self.deadlines = deadlines
        self.maximumGenerations = maximumGenerations.map { max(2, $0) }
        hasPredecessor = origin == .successor
    }

    package mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .began(let manager): began(manager)
        case .applicationReady: applicationReady()
        case .turn: turn()
        case .acceptorsStarted: acceptorsStarted()
        case .acceptorsFailed: acceptorsFailed()
        case .handoverFailed: handoverFailed()
        case .mainProcessGivenBack: mainProcessGivenBack()
        case .predecessorGone: predecessorGone()

        case .upgradeRequested(let request): upgradeRequested(request)
        case .inspected(let request, let surroundings, let ready):
            inspected(request, surroundings, ready: ready)
        case .stateCollected: stateCollected()
        case .stateFailed(let reason): stateFailed(reason)
        case .attemptEnded(let failure): attemptEnded(failure)

        case .successorReady: successorReady()
        case .pauseAbandoned: pauseAbandoned()
        case .introduced: introduced()
        case .introductionFailed(let reason): introductionFailed(reason)
        case .pauseEnded(let failure): pauseEnded(failure)
        case .committed: committed()
        case .resumptionNeeded: resumptionNeeded()
        case .resumed: resumed()

        case .succeeded(let deadline): succeeded(deadline: deadline)
        case .drainRequested(let deadline): drainRequested(deadline)
        case .drainEnded: drainEnded()

        case .successorDied(let request): successorDied(request)
        case .lockTaken(let answer): lockTaken(answer)
        case .successorLeft: successorLeft()

        case .abortRequested(let request): abortRequested(request)
        case .reloadRequested(let request): reloadRequested(request)
        case .reloadEnded(let failure): reloadEnded(failure)
        case .timerExpired(let timer): timerExpired(timer)
        }
    }
}
