// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

/// Both machines, what is between them, and what the kernel and the applications hold ready.
///
/// Everything that can happen is an ``Occurrence``; nothing happens by itself. Two worlds that are
/// equal have the same future.
struct World: Hashable {
    enum Accepting: Hashable {
        case all
        /// A pause is under way or failed half-way: it counts as accepting and as not accepting.
        case some
        case none
    }

    enum Process: Hashable {
        case notStarted, alive, dead
        /// Killed, and the kernel does not let go of it: nothing of it runs any more.
        case hung
    }

    // The predecessor.
    var predecessor: PredecessorStateMachine
    var predecessorAlive = true
    var accepting = Accepting.all
    var deadline: PredecessorStateMachine.Deadline?
    var spawnPending = false
    var pausePending = false
    var drainPending = false
    var exitNoticePending = false
    var sawEndOfFile = false
    var sawReady = false
    var acknowledgements = 0
    var wasCancelled = false
    /// The first successor has died while the predecessor drained: it starts another one.
    var rescuePending = false
    var isRescue = false
    /// Every action that must happen at most once, as it happens.
    var actions: Set<PredecessorStateMachine.Action> = []

    // The successor.
    var successor = SuccessorStateMachine()
    var process = Process.notStarted
    var successorAccepting = false
    var successorDeadline: SuccessorStateMachine.Deadline?
    var channelOpen = true
    var startPending = false
    var applicationDecided = false
    var applicationIsReady = false
    var mustExit = false
    /// Its program does not follow the protocol any more.
    var isRogue = false
    var successorSawEndOfFile = false
    var saidAccepting = false
    var saidLeaving = false
    var inheritanceComplete = false
    var successorActions: Set<SuccessorStateMachine.Action> = []

    // The channel.
    var toSuccessor: [ChannelMessage] = []
    var toPredecessor: [ChannelMessage] = []

    // What may still go wrong.
    var mayCancel = true
    var mayInject = true
    var hadStrayOffer = false

    let setting: Setting

    init(_ setting: Setting) {
        self.setting = setting
        predecessor = PredecessorStateMachine(
            batches: setting.batches, stateSize: setting.stateSize)
    }
}

/// What is handed over, and to whom.
struct Setting: Hashable, CustomStringConvertible {
    var batches: [Int]
    var stateSize: Int?
    var features = ["state", "memfd", "leaving"]

    /// How many times the successor says `taken`.
    var acknowledgements: Int { batches.count + (sendsState ? 1 : 0) }
    var sendsState: Bool { stateSize != nil && features.contains("memfd") }

    var description: String {
        "batches \(batches), state \(stateSize.map(String.init) ?? "none"), features \(features)"
    }
}

/// A rule that does not hold.
struct Violation: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}
