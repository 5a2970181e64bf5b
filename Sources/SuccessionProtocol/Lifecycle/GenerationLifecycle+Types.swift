// SPDX-License-Identifier: Apache-2.0

extension GenerationLifecycle {
    /// Who asked for something and when.
    ///
    /// The machine hands it back and reads nothing in it.
    package struct Request: Sendable, Hashable {
        /// Names the request; the host knows whom it answers.
        package let id: Int
        /// When it came, on the host's clock.
        package let since: UInt64
        /// The pid of the operator; nil: a signal, or the application itself.
        package let processID: Int32?

        package init(id: Int, since: UInt64, processID: Int32?) {
            self.id = id
            self.since = since
            self.processID = processID
        }
    }

    /// What only the host can see when an upgrade is asked for.
    package struct Surroundings: Sendable, Hashable {
        /// A parent waits for this process alone, and would take its end for the service's.
        package var hasWaitingParent: Bool
        /// Other generations that live.
        package var otherGenerations: Int

        package init(hasWaitingParent: Bool = false, otherGenerations: Int = 0) {
            self.hasWaitingParent = hasWaitingParent
            self.otherGenerations = otherGenerations
        }
    }

    /// Why a request is not carried out.
    package enum Refusal: Sendable, Hashable {
        /// This upgrade, or this replacement of a dead successor, runs.
        case busy(Request)
        case notServing(VisibleState)
        /// A parent waits for this process alone.
        case parent
        /// So many may live at once, and a successor would be one more.
        case generations(maximum: Int)
        /// Nothing runs that could be called off; `isSuccessor`: the predecessor calls it off.
        case noUpgrade(isSuccessor: Bool)
        /// A successor has taken over.
        case tooLate
    }

    /// Why an upgrade is called off.
    package enum CallOff: Sendable, Hashable {
        case toldToLeave
        case aborted(Request)
    }

    /// How an upgrade has ended.
    package enum UpgradeEnd: Sendable, Hashable {
        case succeeded
        /// The attempt has failed, and says why.
        case failed
        /// There was no attempt yet.
        case calledOff(CallOff)
        case stateFailed(reason: String)
    }

    /// Why the pause of an attempt has failed.
    package enum PauseFailure: Sendable, Hashable {
        /// It is not needed: the upgrade has failed meanwhile.
        case upgradeIsOver
        /// The service manager does not take the successor for the main process.
        case introduction(String)
        case application(String)
        /// The application did not stop accepting within this time.
        case overdue(Duration)
    }

    /// What comes of `takeLock`.
    package enum LockAnswer: Sendable, Hashable {
        case taken
        /// By another process, which serves, or will.
        case held
        case failed(String)
    }

    /// Which paths of Unix listeners go with a generation that stops accepting for good.
    package enum PathRemoval: Sendable, Hashable {
        /// The successor uses them.
        case none
        /// Those that this generation bound itself: it never accepted on them.
        case ownPaths
        /// Nobody comes after this generation.
        case all
    }

    /// What the word `STATE=` says of a generation.
    package enum VisibleState: Sendable, Hashable {
        case starting
        case serving
        case standby
        case draining(deadline: Duration)
    }

    /// What the author of the server is told, besides what goes with another action.
    package enum Notice: Sendable, Hashable {
        /// The application hangs where it was told to stop accepting, after a failed upgrade.
        case resumptionHangs
        /// The service manager goes on to supervise another process than the successor.
        case successorIsUnsupervised
        /// The successor is dead; the service manager starts the service anew.
        case bereft
        /// The successor is dead, and the lock is not to be had: another process serves, or will.
        case lockIsNotTaken(LockAnswer)
        /// The successor is dead; this generation's program is started in its place.
        case rescueBegins
        /// One could not be started, and the next follows.
        case rescueFails(Failure)
        case rescueEnds(RescueEnd)
    }

    /// How the replacement of a dead successor has ended.
    package enum RescueEnd: Sendable, Hashable {
        case succeeded
        case failed(Failure)
        case calledOff(CallOff)
        /// This generation had been told to leave before the successor died.
        case unwanted
        /// As many as may were started in this drain before.
        case usedUp
    }

    /// A deadline that the lifecycle itself sets.
    package enum Timer: Sendable, Hashable {
        /// For the application to stop accepting.
        case pause
        /// For the application to accept again.
        case resume
        /// Until the next successor is started in the place of a dead one.
        case rescue
    }
}
