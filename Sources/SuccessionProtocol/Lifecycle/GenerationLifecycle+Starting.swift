// SPDX-License-Identifier: Apache-2.0

/// From the beginning until the generation accepts.
extension GenerationLifecycle {
    mutating func began(_ manager: Manager) -> [Action] {
        self.manager = manager
        // A successor is not heard yet, and its predecessor speaks for it.
        return origin == .first && hasManager ? [.extendTimeout(deadlines.ready)] : []
    }

    mutating func applicationReady() -> [Action] {
        isReady = true
        switch (phase, origin) {
        case (.starting(.building), .first):
            return open()
        case (.starting(.building), .successor):
            phase = .starting(.awaitingTurn)
            return [.sayReady]
        case (.starting, .successor), (.draining, .successor), (.left, .successor):
            // The machine of the hand-over knows that it is over, and whether a dead predecessor
            // makes it this generation's turn.
            return [.sayReady]
        case (.draining, .first), (.left, .first):
            return [.refuseTurn]
        case (.starting, .first), (.serving, _), (.upgrading, _), (.resuming, _):
            // Once is enough.
            return []
        }
    }

    mutating func turn() -> [Action] {
        switch phase {
        case .starting(.awaitingTurn):
            return open()
        case .draining, .left:
            return [.refuseTurn]
        case .starting(.building), .starting(.opening), .starting(.failed), .serving, .upgrading,
            .resuming:
            // It comes once, to an application that is ready.
            return []
        }
    }

    private mutating func open() -> [Action] {
        phase = .starting(.opening)
        // A successor is the main process by now.
        return (hasManager ? [.startPings] : []) + [.startAcceptors]
    }

    mutating func acceptorsStarted() -> [Action] {
        switch phase {
        case .starting(.opening):
            hasAccepted = true
            phase = .serving
            return [.enter(.serving), .announceServing]
        case .draining, .left:
            // Told to leave meanwhile: that stands.
            return [.refuseTurn]
        case .starting(.building), .starting(.awaitingTurn), .starting(.failed), .serving,
            .upgrading, .resuming:
            // Nothing was to be started, or the hand-over has failed meanwhile.
            return []
        }
    }

    mutating func acceptorsFailed() -> [Action] {
        guard case .starting(.opening) = phase else { return [] }
        phase = .starting(.failed)
        return []
    }

    mutating func handoverFailed() -> [Action] {
        switch phase {
        case .starting:
            phase = .starting(.failed)
        case .draining, .left:
            // It was refused for that.
            break
        case .serving, .upgrading, .resuming:
            // It has succeeded.
            return []
        }
        // Since it said that it is ready, this may be the main process: its end would be the
        // service's.
        guard isReady, hasPredecessor, manager == .parent else { return [.endHandover] }
        return [.stopPings, .giveBackMainProcess(within: deadlines.giveBack)]
    }

    mutating func mainProcessGivenBack() -> [Action] { [.endHandover] }

    mutating func predecessorGone() -> [Action] {
        // A predecessor dies once.
        guard hasPredecessor else { return [] }
        hasPredecessor = false
        return [.removeRemains]
    }
}

extension GenerationLifecycle {
    var hasManager: Bool { manager != .none }
}
