// SPDX-License-Identifier: Apache-2.0

extension GenerationLifecycle {
    package enum Event: Sendable, Hashable {
        // The beginning.

        case began(Manager)
        /// The server is built.
        case applicationReady
        /// The predecessor has committed, or is dead: this generation is to accept.
        case turn
        case acceptorsStarted
        case acceptorsFailed
        /// This generation will not succeed; the machine of the hand-over has given up.
        case handoverFailed
        /// The answer to `giveBackMainProcess`, or its time is over.
        case mainProcessGivenBack
        case predecessorGone

        // An upgrade.

        case upgradeRequested(Request)
        /// The answer to `inspectSurroundings`; `ready` is what the operator allows.
        case inspected(Request, Surroundings, ready: Duration?)
        /// There is nothing to collect, or it is collected, or the wait was ended.
        case stateCollected
        case stateFailed(reason: String)
        /// The attempt is over, and has succeeded if there is no failure.
        case attemptEnded(Failure?)

        // What the attempt wants.

        /// Nothing more is to be accepted; `answerPause` follows.
        case successorReady
        /// The attempt has failed while it waits for `answerPause`.
        case pauseAbandoned
        case introduced
        case introductionFailed(reason: String)
        /// The acceptors have stopped, or say why not.
        case pauseEnded(failure: String?)
        /// `committed` is sent.
        case committed
        /// The attempt has failed and its successor is dead.
        case resumptionNeeded
        /// The acceptors run again, as far as they can.
        case resumed
        /// The successor accepts; `drainDeadline` is what the operator wants.
        case succeeded(drainDeadline: Duration?)

        // The end.

        /// An operator, a signal, the application or the service manager asks; nil: what the
        /// configuration says.
        case drainRequested(deadline: Duration?)
        case drainEnded

        // A successor that accepted.

        /// It is dead; the request is that of the replacement, should there be one.
        case successorDied(Request)
        /// The answer to `takeLock`.
        case lockTaken(LockAnswer)
        /// It has said that it leaves, or will not say.
        case successorLeft

        // Requests of other kinds.

        case abortRequested(Request)
        case reloadRequested(Request)
        /// The application has answered, or its time is over.
        case reloadEnded(Failure?)

        case timerExpired(Timer)
    }

    package enum Action: Sendable, Hashable {
        case enter(VisibleState)

        // Accepting. Orders to the acceptors are carried out one after the other.

        /// Points `serving` to this generation and starts the acceptors.
        case startAcceptors
        /// Nobody accepts here any more: what waits for `turn` is told that it is off.
        case refuseTurn
        /// This generation accepts: what waits for `turn` is told, and the service manager.
        case announceServing
        case pauseAcceptors
        /// Points `serving` back and starts the acceptors again, as many as can.
        case resumeAcceptors
        /// For good.
        case stopAcceptors(removing: PathRemoval, keepsListeners: Bool)
        /// The listeners will not be needed again.
        case letGoOfListeners

        // An upgrade.

        /// `inspected` is the answer.
        case inspectSurroundings(Request)
        case refuseUpgrade(Request, Refusal)
        case collectState(within: Duration)
        /// Ends the wait for the state.
        case cancelCollection(CallOff)
        /// Starts a successor; its own program as a replacement.
        case beginAttempt(Request, isRescue: Bool)
        case cancelAttempt(CallOff)
        case answerPause(PauseFailure?)
        case endUpgrade(Request, UpgradeEnd)

        // The lock.

        case takeLock
        case releaseLock
        /// Removes `serving` if it leads to the dead successor.
        case removeServing

        // The service manager.

        case startPings
        case stopPings
        /// Has the manager wait as long as this generation does.
        case extendTimeout(Duration)
        case endExtensions
        /// What the manager stores for this generation becomes what the successor knows of.
        case relinquishStore
        /// `MAINPID=` of the successor; answered by `introduced` or `introductionFailed`.
        case introduceSuccessor(within: Duration)
        /// `MAINPID=` of this process, whose store it is again; a generation that drains meanwhile is
        /// not announced as one that serves.
        case takeBackMainProcess(isServing: Bool)
        /// `MAINPID=` of the predecessor; answered by `mainProcessGivenBack`.
        case giveBackMainProcess(within: Duration)
        case announceStopping

        // The drain.

        /// `isLast`: nobody comes after this generation.
        case beginDrain(deadline: Duration, isLast: Bool)
        case shortenDrain(to: Duration)
        /// Keeps the process here, whatever becomes of its connections.
        case holdDrain
        case releaseDrain

        // What a successor tells its predecessor.

        /// That the application is ready.
        case sayReady
        /// That it will not come.
        case refuseToSucceed
        /// That nobody need take its place.
        case sayLeaving
        /// Closes the channel; the application is told that the hand-over has failed.
        case endHandover
        /// The names that a dead predecessor has left go.
        case removeRemains

        // Answers.

        /// The upgrade is undone.
        case answerAbort(Request)
        case refuseAbort(Request, Refusal)
        case reload(Request)
        /// `isForManager`: nobody asked but a signal, which may be the service manager's.
        case refuseReload(Request, Refusal, isForManager: Bool)
        case announceReloadEnd(Failure?)
        /// What the application has of requests to reload is over.
        case endReloads(hasSuccessor: Bool)

        case setTimer(Timer, Duration)
        case clearTimer(Timer)
        case notify(Notice)
    }
}
