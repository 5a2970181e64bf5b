// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

/// Both generations, what is between them, and what the kernel, the applications and the service
/// manager hold ready.
///
/// Of each generation there are its lifecycle and its machine of the hand-over. Everything that can
/// happen is an ``Occurrence``; nothing happens by itself. Two worlds that are equal have the same
/// future.
struct World: Hashable {
    enum Accepting: Hashable {
        case all
        /// An order to the acceptors is under way, or a pause has failed half-way: it counts as
        /// accepting and as not accepting.
        case some
        case none
    }

    /// An order to the acceptors of the predecessor.
    enum Order: Hashable {
        case pause, resume, stop
    }

    enum Process: Hashable {
        case notStarted, alive, dead
        /// Killed, and the kernel does not let go of it: nothing of it runs any more.
        case hung
    }

    enum End: Hashable {
        case died, left
    }

    // The predecessor.
    var life: GenerationLifecycle
    var predecessor = PredecessorStateMachine(batches: [], stateSize: nil)
    var predecessorAlive = true
    var accepting = Accepting.all
    /// The first is being carried out.
    var orders: [Order] = []
    var visible = GenerationLifecycle.VisibleState.serving
    var holdsLock = true
    var deadline: PredecessorStateMachine.Deadline?
    var timers: Set<GenerationLifecycle.Timer> = []
    var collectionPending = false
    var introductionPending = false
    var spawnPending = false
    var drainPending = false
    var drainHeld = false
    var endNotice: End?
    var sawEndOfFile = false
    var sawReady = false
    var acknowledgements = 0
    var wasCancelled = false
    var wasToldToLeave = false
    var isRescue = false
    /// It has given up the replacement of a dead successor, or another process has the lock.
    var gaveUp = false
    /// Requests that have not been answered, by number.
    var unanswered: Set<Int> = []
    /// What must happen at most once in an attempt, and has happened.
    var done = Done()

    // The successor.
    /// From the moment on at which everything is taken.
    var successorLife: GenerationLifecycle?
    var successor = SuccessorStateMachine()
    var process = Process.notStarted
    var successorAccepting = false
    var successorStops = false
    var successorHoldsLock = false
    var successorDeadline: SuccessorStateMachine.Deadline?
    var channelOpen = true
    var startPending = false
    var giveBackPending = false
    /// The service manager was told that the predecessor is the main process again.
    var gaveBack = false
    var applicationDecided = false
    var applicationIsReady = false
    var successorDrainPending = false
    /// The process ends: failed or drained.
    var exits: End?
    /// Its program does not follow the protocol any more.
    var isRogue = false
    var successorSawEndOfFile = false
    var saidAccepting = false
    var saidLeaving = false
    var successorDone = Done()

    // The channel.
    var toSuccessor: [ChannelMessage] = []
    var toPredecessor: [ChannelMessage] = []

    var manager = ServiceManager()

    /// Another process holds the lock, and serves.
    var strangerServes = false
    /// A process has died or was told to leave: that nobody serves in the end has a reason.
    var isExplained = false

    // What may still go wrong.
    var mayAbort: Bool
    var mayDrain: Bool
    var mayAskAgain: Bool
    var mayInject: Bool
    var hadStrayOffer = false

    let setting: Setting

    init(_ setting: Setting) {
        self.setting = setting
        life = .serving(setting)
        mayAbort = setting.faults == .drains
        mayDrain = setting.faults == .drains
        mayAskAgain = setting.faults == .requests
        mayInject = setting.faults == .strays
    }
}

/// The service manager, which takes one process for the main one.
struct ServiceManager: Hashable {
    enum Party: Hashable {
        case predecessor, successor
        /// A process that has ended.
        case nobody
    }

    var main = Party.predecessor
    /// The unit is being stopped: somebody asked, or the main process has ended.
    var isStopping = false
    /// SIGTERM that has not arrived yet.
    var signals: Set<Party> = []
    var mayStop = true
    var mayBeSlow = true
}

/// Actions of a machine, by number.
struct Done: Hashable {
    private var bits: UInt64 = 0

    func contains(_ number: Int) -> Bool { bits & 1 << UInt64(number) != 0 }

    /// Whether it is new.
    mutating func insert(_ number: Int) -> Bool {
        defer { bits |= 1 << UInt64(number) }
        return !contains(number)
    }
}

/// A rule that does not hold.
struct Violation: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}
