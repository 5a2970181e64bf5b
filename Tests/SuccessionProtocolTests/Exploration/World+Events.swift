// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

extension World {
    /// The world after something happened in it.
    func after(_ occurrence: Occurrence) throws(Violation) -> World {
        var world = self
        try world.happen(occurrence)
        try world.checkAlways()
        return world
    }

    static func beginning(_ setting: Setting) throws(Violation) -> World {
        var world = World(setting)
        try world.predecessorHandles(.begin)
        return world
    }

    private mutating func happen(_ occurrence: Occurrence) throws(Violation) {
        switch occurrence {
        case .spawned, .spawnFails, .predecessorReads, .predecessorReadsEnd, .exitNoticed,
            .pauseEnds, .pauseFails, .deadlineExpires, .drainEnds, .rescueBegins, .operatorCancels:
            try happenToPredecessor(occurrence)
        case .successorBegins, .successorReads, .successorReadsEnd, .applicationIsReady,
            .applicationRefuses, .acceptorsStart, .acceptorsFail, .successorDeadlineExpires:
            try happenToSuccessor(occurrence)
        case .successorExits, .successorDies, .kernelLetsGo:
            successorEnds()
        case .successorLeaves:
            try successorHandles(.leaves)
            mustExit = true
        case .predecessorDies:
            predecessorEnds()
        case .successorGoesRogue:
            isRogue = true
            channelOpen = false
        case .strayToPredecessor(let message):
            mayInject = false
            toPredecessor.append(message)
        case .strayToSuccessor(let message):
            mayInject = false
            if case .offer = message { hadStrayOffer = true }
            toSuccessor.append(message)
        }
    }

    private mutating func happenToPredecessor(_ occurrence: Occurrence) throws(Violation) {
        switch occurrence {
        case .spawned:
            spawnPending = false
            process = .alive
            try predecessorHandles(.spawned)
        case .spawnFails:
            spawnPending = false
            try predecessorHandles(.spawnFailed(Failure(code: .start, reason: "no file")))
        case .predecessorReads:
            let message = toPredecessor.removeFirst()
            noteReceived(message)
            try predecessorHandles(.received(message))
        case .predecessorReadsEnd:
            sawEndOfFile = true
            try predecessorHandles(.endOfFile)
        case .exitNoticed:
            exitNoticePending = false
            try predecessorHandles(.successorExited)
        case .pauseEnds:
            pausePending = false
            accepting = .none
            try predecessorHandles(.paused)
        case .pauseFails:
            pausePending = false
            try predecessorHandles(.pauseFailed("stuck"))
        case .deadlineExpires:
            deadline = nil
            try predecessorHandles(.deadlineExpired)
        case .rescueBegins:
            beginRescue()
            try predecessorHandles(.begin)
        case .drainEnds:
            predecessorSends(.drained)
            predecessorEnds()
        default:
            mayCancel = false
            wasCancelled = predecessor.state != .succeeded && predecessor.state != .relieved
            try predecessorHandles(.cancelled("enough"))
        }
    }

    private mutating func noteReceived(_ message: ChannelMessage) {
        switch message {
        case .ready: sawReady = true
        case .taken, .takenState: acknowledgements += 1
        default: break
        }
    }

    private mutating func happenToSuccessor(_ occurrence: Occurrence) throws(Violation) {
        switch occurrence {
        case .successorBegins:
            try successorHandles(.begin)
        case .successorReads:
            try successorHandles(.received(toSuccessor.removeFirst()))
        case .successorReadsEnd:
            successorSawEndOfFile = true
            try successorHandles(.endOfFile)
        case .applicationIsReady:
            applicationDecided = true
            applicationIsReady = true
            try successorHandles(.applicationReady)
        case .applicationRefuses:
            applicationDecided = true
            let failure = Failure(code: .application, reason: "no")
            try successorHandles(.applicationFailed(failure))
        case .acceptorsStart:
            startPending = false
            try successorHandles(.started)
        case .acceptorsFail:
            startPending = false
            let failure = Failure(code: .application, reason: "cannot accept")
            try successorHandles(.applicationFailed(failure))
        default:
            successorDeadline = nil
            try successorHandles(.deadlineExpired)
        }
    }

    mutating func successorEnds() {
        process = .dead
        successorAccepting = false
        successorDeadline = nil
        startPending = false
        mustExit = false
        channelOpen = false
        toSuccessor = []
        exitNoticePending = predecessorAlive
    }

    /// Killed, but there is still something that the kernel has to finish for it.
    mutating func successorHangs() {
        process = .hung
        successorAccepting = false
        successorDeadline = nil
        startPending = false
        mustExit = false
        toSuccessor = []
    }

    private mutating func beginRescue() {
        let before = self
        self = World(setting)
        predecessor = PredecessorStateMachine(
            batches: setting.batches, stateSize: setting.stateSize, isDraining: true)
        accepting = .none
        drainPending = true
        isRescue = true
        mayCancel = before.mayCancel
        mayInject = before.mayInject
    }

    private mutating func predecessorEnds() {
        predecessorAlive = false
        accepting = .none
        deadline = nil
        spawnPending = false
        pausePending = false
        drainPending = false
        rescuePending = false
        exitNoticePending = false
        toPredecessor = []
        // Nothing of it is left but its last packets: worlds that differ in the rest have one
        // future.
        predecessor = PredecessorStateMachine(batches: [], stateSize: nil)
        actions = []
        sawReady = false
        acknowledgements = 0
        wasCancelled = false
    }

    mutating func predecessorSends(_ message: ChannelMessage) {
        if channelOpen, process == .alive { toSuccessor.append(message) }
    }

    mutating func successorSends(_ message: ChannelMessage) {
        if channelOpen, predecessorAlive { toPredecessor.append(message) }
    }
}
