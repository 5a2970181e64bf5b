// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

/// Something that happens in a ``World``.
enum Occurrence: Hashable {
    // Progress: sooner or later each of these happens if nothing else does.
    case stateIsWritten, stateCannotBeWritten
    case spawned, spawnFails
    case predecessorReads, predecessorReadsEnd, endNoticed
    case orderCarriedOut, pauseFails
    case deadlineExpires
    case timerExpires(GenerationLifecycle.Timer)
    case drainEnds
    case kernelLetsGo
    case successorBegins, successorReads, successorReadsEnd
    case applicationIsReady, applicationRefuses
    case acceptorsStart, acceptorsFail
    case successorDeadlineExpires
    case successorDrainEnds
    case successorExits
    case managerIntroduces, managerHearsGiveBack
    case managerNoticesEnd
    case signalArrives(ServiceManager.Party)

    // Faults: each may happen or not.
    case upgradeIsAskedAgain
    case operatorAborts
    case predecessorIsToldToLeave
    case predecessorDies
    case successorDies
    case successorGoesRogue
    case successorIsToldToLeave
    case managerStops
    /// It does not answer within the deadline, whether or not it has heard.
    case managerIsSlow(hears: Bool)
    case strangerTakesLock
    case strayToPredecessor(ChannelMessage)
    case strayToSuccessor(ChannelMessage)
}

extension World {
    /// What happens sooner or later.
    var progress: [Occurrence] {
        var result: [Occurrence] = []
        func add(_ possible: Bool, _ occurrences: Occurrence...) {
            if possible { result += occurrences }
        }
        if predecessorAlive {
            let reads = process != .notStarted && !sawEndOfFile && !collectionPending
            add(collectionPending, .stateIsWritten, .stateCannotBeWritten)
            add(spawnPending, .spawned, .spawnFails)
            add(reads && !toPredecessor.isEmpty, .predecessorReads)
            add(reads && toPredecessor.isEmpty && !channelOpen, .predecessorReadsEnd)
            add(endNotice != nil, .endNoticed)
            add(!orders.isEmpty, .orderCarriedOut)
            add(orders.first == .pause, .pauseFails)
            add(deadline != nil, .deadlineExpires)
            for timer in timers { add(true, .timerExpires(timer)) }
            add(drainPending && !drainHeld && orders.isEmpty, .drainEnds)
            add(introductionPending, .managerIntroduces)
            add(manager.signals.contains(.predecessor), .signalArrives(.predecessor))
        }
        add(process == .hung, .kernelLetsGo)
        add(mainHasEnded && !manager.isStopping, .managerNoticesEnd)
        guard process == .alive else { return result }
        add(manager.signals.contains(.successor), .signalArrives(.successor))
        if isRogue { return result }
        let isOpen = channelOpen && successor.state != .idle && !successorSawEndOfFile
        let decides = successorLife != nil && !applicationDecided && exits == nil
        add(successor.state == .idle, .successorBegins)
        add(isOpen && !toSuccessor.isEmpty, .successorReads)
        add(isOpen && toSuccessor.isEmpty && !predecessorAlive, .successorReadsEnd)
        add(decides, .applicationIsReady, .applicationRefuses)
        add(startPending, .acceptorsStart, .acceptorsFail)
        add(giveBackPending, .managerHearsGiveBack)
        add(successorDeadline != nil, .successorDeadlineExpires)
        add(successorDrainPending && !startPending && !giveBackPending, .successorDrainEnds)
        add(exits != nil && !giveBackPending, .successorExits)
        return result
    }

    /// What may go wrong.
    var faults: [Occurrence] {
        var result: [Occurrence] = []
        if predecessorAlive {
            result.append(.predecessorDies)
            if mayAbort { result.append(.operatorAborts) }
            if mayDrain { result.append(.predecessorIsToldToLeave) }
            if mayAskAgain { result.append(.upgradeIsAskedAgain) }
        }
        if setting.faults == .manager {
            if manager.mayStop, !manager.isStopping { result.append(.managerStops) }
            if manager.mayBeSlow, introductionPending || giveBackPending {
                result += [.managerIsSlow(hears: true), .managerIsSlow(hears: false)]
            }
        }
        if setting.faults == .drains, predecessorAlive, endNotice != nil, !holdsLock,
            !successorHoldsLock
        {
            result.append(.strangerTakesLock)
        }
        guard process == .alive else { return result }
        result.append(.successorDies)
        if mayTellSuccessor { result.append(.successorIsToldToLeave) }
        if !isRogue, channelOpen, !successorAccepting { result.append(.successorGoesRogue) }
        guard mayInject, channelOpen, !isRogue else { return result }
        if predecessorAlive {
            result += strayFromSuccessor.map { .strayToPredecessor($0) }
            result += Self.strayFromPredecessor.map { .strayToSuccessor($0) }
        }
        return result
    }

    private var mayTellSuccessor: Bool {
        guard !isRogue, exits == nil, let successorLife, !successorLife.isDraining else {
            return false
        }
        return switch setting.faults {
        case .drains: true
        case .requests, .strays: saidAccepting
        // By a signal of the manager.
        case .manager: false
        }
    }

    /// What a newer or a broken successor may say besides; `accepting` would be a lie that no
    /// predecessor can see through.
    private var strayFromSuccessor: [ChannelMessage] {
        [
            .unknown("later"), .malformed("stray"), .misplaced(.status), .unsupportedVersion(2),
            .refused(Failure(code: .unknownKind, reason: "stray")),
            .hello(features: setting.features),
            .taken(batch: 1, descriptors: 2), .takenState(size: 1), .ready, .leaving,
        ]
    }

    /// The same for a predecessor; `committed` would be such a lie.
    private static let strayFromPredecessor: [ChannelMessage] = [
        .unknown("later"), .malformed("stray"), .misplaced(.status), .unsupportedVersion(2),
        .refused(Failure(code: .unknownKind, reason: "stray")), .descriptorMismatch("stray"),
        .offer(batch: 1, of: 1, descriptors: 2, total: 2, hasState: false), .state(size: 1),
        .draining,
    ]
}
