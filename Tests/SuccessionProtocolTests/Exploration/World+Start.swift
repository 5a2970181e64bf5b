// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

/// How worlds and attempts begin.
extension World {
    /// A generation serves and is asked for an upgrade.
    static func beginning(_ setting: Setting) throws(Violation) -> World {
        var world = World(setting)
        try world.ask(id: 1)
        return world
    }

    mutating func ask(id: Int) throws(Violation) {
        unanswered.insert(id)
        try lifeHandles(.upgradeRequested(.numbered(id)))
    }

    /// Another successor, of which nothing is known yet.
    mutating func beginAttempt(isRescue: Bool) {
        let before = self
        self = World(setting)
        life = before.life
        accepting = before.accepting
        orders = before.orders
        visible = before.visible
        holdsLock = before.holdsLock
        timers = before.timers
        drainPending = before.drainPending
        drainHeld = before.drainHeld
        wasToldToLeave = before.wasToldToLeave
        unanswered = before.unanswered
        manager = before.manager
        if manager.main == .successor { manager.main = .nobody }
        isExplained = before.isExplained
        mayAbort = before.mayAbort
        mayDrain = before.mayDrain
        mayAskAgain = before.mayAskAgain
        mayInject = before.mayInject
        self.isRescue = isRescue
        predecessor = PredecessorStateMachine(
            batches: setting.batches, stateSize: setting.stateSize, isDraining: isRescue)
    }
}

extension GenerationLifecycle {
    /// The first of its line, which accepts.
    static func serving(_ setting: Setting) -> GenerationLifecycle {
        var life = GenerationLifecycle(
            .first, deadlines: .explored)
        _ = life.handle(.began(setting.manager))
        _ = life.handle(.applicationReady)
        _ = life.handle(.acceptorsStarted)
        return life
    }
}

extension GenerationLifecycle.Request {
    static func numbered(_ id: Int) -> Self { Self(id: id, since: 0, processID: nil) }
}

extension HandoverDeadlines {
    /// Another replacement is another attempt at the same: two are enough to see them end.
    static var explored: HandoverDeadlines {
        var deadlines = HandoverDeadlines()
        deadlines.maximumRescues = 2
        return deadlines
    }
}
