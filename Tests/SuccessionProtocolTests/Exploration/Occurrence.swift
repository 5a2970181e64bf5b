// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

/// Something that happens in a ``World``.
enum Occurrence: Hashable {
    // Progress: sooner or later each of these happens if nothing else does.
    case spawned, spawnFails
    case predecessorReads, predecessorReadsEnd, exitNoticed
    case pauseEnds, pauseFails
    case deadlineExpires
    case drainEnds
    case rescueBegins
    case kernelLetsGo
    case successorBegins, successorReads, successorReadsEnd
    case applicationIsReady, applicationRefuses
    case acceptorsStart, acceptorsFail
    case successorDeadlineExpires
    case successorExits

    // Faults: each may happen or not.
    case operatorCancels
    case predecessorDies
    case successorDies
    case successorGoesRogue
    case successorLeaves
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
        let reads = process != .notStarted && !sawEndOfFile && !rescuePending
        add(predecessorAlive && spawnPending, .spawned, .spawnFails)
        add(predecessorAlive && reads && !toPredecessor.isEmpty, .predecessorReads)
        add(
            predecessorAlive && reads && toPredecessor.isEmpty && !channelOpen, .predecessorReadsEnd
        )
        add(predecessorAlive && exitNoticePending, .exitNoticed)
        add(predecessorAlive && pausePending, .pauseEnds, .pauseFails)
        add(predecessorAlive && deadline != nil, .deadlineExpires)
        add(predecessorAlive && drainPending && !isHeld, .drainEnds)
        add(predecessorAlive && rescuePending, .rescueBegins)
        add(process == .hung, .kernelLetsGo)
        guard process == .alive, !isRogue else { return result }
        let isOpen = channelOpen && successor.state != .idle && !successorSawEndOfFile
        add(successor.state == .idle, .successorBegins)
        add(isOpen && !toSuccessor.isEmpty, .successorReads)
        add(isOpen && toSuccessor.isEmpty && !predecessorAlive, .successorReadsEnd)
        add(inheritanceComplete && !applicationDecided && !mustExit, .applicationIsReady)
        add(inheritanceComplete && !applicationDecided && !mustExit, .applicationRefuses)
        add(startPending, .acceptorsStart, .acceptorsFail)
        add(successorDeadline != nil, .successorDeadlineExpires)
        add(mustExit, .successorExits)
        return result
    }

    /// What may go wrong.
    var faults: [Occurrence] {
        var result: [Occurrence] = []
        if predecessorAlive {
            result.append(.predecessorDies)
            if mayCancel { result.append(.operatorCancels) }
        }
        guard process == .alive else { return result }
        result.append(.successorDies)
        if !isRogue, !mustExit, channelOpen, case .serving = successor.state {
            result.append(.successorLeaves)
        }
        if !isRogue, channelOpen, !successorAccepting { result.append(.successorGoesRogue) }
        guard mayInject, channelOpen, !isRogue else { return result }
        if predecessorAlive {
            result += strayFromSuccessor.map { .strayToPredecessor($0) }
            result += Self.strayFromPredecessor.map { .strayToSuccessor($0) }
        }
        return result
    }

    /// The predecessor does not leave while it starts a successor.
    private var isHeld: Bool {
        guard isRescue else { return false }
        return switch predecessor.state {
        case .idle, .succeeded, .relieved, .failed: false
        case .starting, .awaitingHello, .offering, .offeringState, .awaitingReady, .pausing,
            .committed, .ending:
            true
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
