// SPDX-License-Identifier: Apache-2.0

extension PredecessorStateMachine {
    package enum State: Sendable, Hashable {
        case idle
        case starting
        case awaitingHello
        /// The first batch that has not been acknowledged; more may be under way.
        case offering(batch: Int)
        case offeringState
        case awaitingReady
        /// The successor is ready; this side stops taking from its queues.
        case pausing
        /// This side has stopped; the successor was told and has not yet said that it accepts.
        case committed
        /// The upgrade has failed and the successor is not dead yet, or a pause has not been
        /// answered yet.
        case ending(Ending)
        /// The successor accepts, and this side drains; should the successor die, another one is
        /// needed.
        case succeeded
        /// What becomes of the successor is no business of this side any more.
        case relieved
        /// The successor is dead, or as good as dead, or was never started; this side serves as
        /// before.
        case failed(Failure)
    }

    package struct Ending: Sendable, Hashable {
        package enum Stage: Sendable, Hashable {
            /// Gone by itself, by its own word or by its end-of-file; has a second to be dead.
            case leaving
            case terminated
            case killed
            /// Or killed and not gone: nothing of its program runs any more.
            case dead
        }

        package var failure: Failure
        package var stage: Stage = .leaving
        /// This side had begun to pause.
        package var resumes = false
        package var pauseIsPending = false
    }

    /// What ends a successor before the commit.
    enum TerminationCause {
        /// This side calls the upgrade off.
        case abort
        /// The successor has sent `abort`, or closed the channel.
        case decline
        /// The successor is dead.
        case death
    }

    package enum Event: Sendable, Hashable {
        case begin
        case spawned
        case spawnFailed(Failure)
        case received(ChannelMessage)
        case endOfFile
        /// The successor is dead; may arrive before or after what it sent last.
        case successorExited
        /// The successor has ended of its own accord.
        case successorLeft
        case deadlineExpired
        /// `pauseAccepting` is done: nothing more is taken from any queue.
        case paused
        case pauseFailed(String)
        case cancelled(String)
        /// The kernel would not take a message, for a reason other than that the successor is gone.
        case sendFailed(Failure)
    }

    package enum Action: Sendable, Hashable {
        case spawn
        /// Nobody waits for `spawn` any more; a process that is half started is killed.
        case abandonSpawn
        /// The batches are numbered from 1.
        case sendOffer(batch: Int)
        case sendState
        case pauseAccepting
        /// The pause is not needed any more; it is answered all the same.
        case abandonPause
        case sendCommitted
        /// Undoes `pauseAccepting`, also one that failed half-way.
        case resumeAccepting
        case drain
        /// The successor that accepted is dead, without having said that it leaves: what waits in
        /// the queues is nobody's.
        case takeOver
        /// The listeners will not be needed again.
        case letGo
        case sendAbort(Failure)
        case sendRefusedUnknownKind(String)
        /// SIGTERM.
        case terminateSuccessor
        /// SIGKILL.
        case killSuccessor
        /// Replaces the deadline that is set.
        case setDeadline(Deadline)
        case clearDeadline
        case step(Step, Progress)
        case succeeded
        /// The attempt is over, the successor dead or never started; or it was killed, and the
        /// kernel has not let go of it.
        case failed(Failure)
    }

    package enum Deadline: Sendable, Hashable {
        /// From the start of the successor until it is ready.
        case ready
        /// First for the pause, then anew for the successor's `accepting`.
        case accepting
        /// For a successor to be dead.
        case death
        /// For one that was killed.
        case burial
    }

    /// A step as the operator sees it.
    package enum Step: String, Sendable, Hashable {
        case start, offer, ready, commit
    }

    package enum Progress: Sendable, Hashable {
        case started, done
    }
}
