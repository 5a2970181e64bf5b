// SPDX-License-Identifier: Apache-2.0

extension GenerationLifecycle {
    package enum Origin: Sendable, Hashable {
        /// The first of its line.
        case first
        case successor
    }

    /// What the service manager is to this process.
    package enum Manager: Sendable, Hashable {
        /// There is none.
        case none
        /// It hears notifications, but supervises another process, such as a wrapper: it cannot be
        /// given a successor.
        case distant
        /// It supervises this process, and would supervise a sibling of it.
        case parent
    }

    package enum Phase: Sendable, Hashable {
        case starting(Starting)
        case serving
        /// A successor is being started; this generation serves, or can serve again.
        case upgrading(Upgrade)
        /// An upgrade has failed after the pause, and the acceptors are being started again.
        case resuming
        case draining(Drain)
        /// The drain is over; the process ends when its application returns.
        case left(hasSuccessor: Bool)
    }

    package enum Starting: Sendable, Hashable {
        case building
        /// The application is ready, and the predecessor is told.
        case awaitingTurn
        /// The acceptors are being started.
        case opening
        /// The hand-over has failed, or the acceptors could not be started: the process leaves.
        case failed
    }

    /// An upgrade that was asked for, until it is over.
    package struct Upgrade: Sendable, Hashable {
        package enum Stage: Sendable, Hashable {
            /// The application writes its state.
            case collecting
            /// The successor is started, takes what it is offered and builds its server.
            case preparing
            /// The successor is ready; the service manager is told.
            case introducing(isPauseWanted: Bool)
            /// The application is told to stop accepting.
            case pausing
            /// It has stopped.
            case paused
            /// `committed` was sent.
            case standingBy
            /// The pause has failed, or the upgrade has failed before it: the attempt will say what
            /// follows.
            case pauseFailed
            /// The attempt has failed, and the acceptors are being started again.
            case resuming
            case resumed
        }

        package let request: Request
        package internal(set) var stage: Stage
        /// Why it is called off, if it is; the first reason counts.
        var callOff: CallOff?
        /// Operators who want it called off.
        var aborts: [Request] = []
        /// A drain that was asked for meanwhile, and begins when the upgrade is over.
        package internal(set) var postponedDrain: Duration?
    }

    package struct Drain: Sendable, Hashable {
        /// As it was when the drain began.
        let deadline: Duration
        /// A successor has taken over; false again when the replacement of a dead one was given up.
        package internal(set) var hasSuccessor: Bool
        /// The successor may die, and then another one needs the listeners.
        package internal(set) var keepsListeners: Bool
        /// Asked to leave while it drained already.
        var isToldToLeave = false
        /// The successor is dead, and the service manager sees to another one.
        var isBereft = false
        /// How many successors were started in the place of one that died.
        package internal(set) var rescues = 0
        package internal(set) var occupation = Occupation.none
    }

    /// What a generation that drains has to finish besides its connections.
    package enum Occupation: Sendable, Hashable {
        case none
        /// The successor accepts; the attempt has not said yet that it is over.
        case concluding(Upgrade)
        /// The successor is dead, and another one is started.
        case rescue(Rescue)
    }

    /// The replacement of a successor that died while this generation drains.
    package struct Rescue: Sendable, Hashable {
        package enum Stage: Sendable, Hashable {
            case takingLock
            case collecting
            case attempting
            /// One could not be started; the next follows.
            case waiting
        }

        package let request: Request
        package internal(set) var stage: Stage
        var callOff: CallOff?
        var aborts: [Request] = []
    }
}

extension GenerationLifecycle {
    /// The request of the upgrade or of the replacement that runs.
    package var runningRequest: Request? {
        switch phase {
        case .upgrading(let upgrade): upgrade.request
        case .draining(let drain):
            switch drain.occupation {
            case .none: nil
            case .concluding(let upgrade): upgrade.request
            case .rescue(let rescue): rescue.request
            }
        case .starting, .serving, .resuming, .left: nil
        }
    }

    package var isDraining: Bool {
        switch phase {
        case .draining, .left: true
        case .starting, .serving, .upgrading, .resuming: false
        }
    }

    /// Whether a predecessor that lives waits for this generation to accept.
    var isAwaited: Bool { hasPredecessor && !hasAccepted }
}
