// SPDX-License-Identifier: Apache-2.0

extension SuccessorStateMachine {
    package enum State: Sendable, Hashable {
        case idle
        /// Said hello; no batch has come yet.
        case greeting
        case taking(Offer)
        case takingState
        /// Everything is taken; the application builds its server.
        case inherited
        /// As `inherited`, but the predecessor has died meanwhile: nobody accepts until the
        /// application is ready.
        case orphaned
        /// Said ready; the predecessor has not yet said that it stopped.
        case readying
        /// The application's acceptors are being started.
        case starting(predecessorAlive: Bool)
        case serving(predecessorAlive: Bool)
        case failed(Failure)
    }

    /// What is known of the offer between two batches.
    package struct Offer: Sendable, Hashable {
        package var batchesTaken: Int
        package var batches: Int
        package var descriptorsTaken: Int
        package var descriptors: Int
        package var hasState: Bool
    }

    package enum Event: Sendable, Hashable {
        case begin
        case received(ChannelMessage)
        /// End-of-file on the channel, after everything the predecessor had sent.
        case endOfFile
        case deadlineExpired
        case applicationReady
        /// The application refuses, or could not start to accept.
        case applicationFailed(Failure)
        /// `startAccepting` is done: the acceptors run.
        case started
        /// This generation stops accepting for good: it was told to, or has a successor of its own.
        case leaves
    }

    package enum Action: Sendable, Hashable {
        case sendHello
        /// Keep the descriptors that came with the message.
        case takeBatch(Int)
        case sendTaken(batch: Int)
        case takeState
        case sendTakenState
        case inheritanceComplete
        case sendReady
        case startAccepting
        case sendAccepting
        case sendLeaving
        case serving(predecessorAlive: Bool)
        case sendAbort(Failure)
        case sendRefusedUnknownKind(String)
        /// The hand-over is over for this side; the process ends, non-zero.
        case fail(Failure)
        /// The predecessor is dead; the channel may be closed.
        case predecessorGone
        /// Replaces the deadline that is set.
        case setDeadline(Deadline)
        case clearDeadline
    }

    package enum Deadline: Sendable, Hashable {
        /// For the predecessor's next message.
        case answer
        /// From `ready` to `committed`.
        case commit
    }
}
