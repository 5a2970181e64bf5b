// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

extension GenerationLifecycle {
    /// A first generation that accepts.
    static func serving(
        _ manager: Manager = .none, maximumGenerations: Int? = nil
    ) -> GenerationLifecycle {
        var life = GenerationLifecycle(
            .first, maximumGenerations: maximumGenerations)
        life.advance([.began(manager), .applicationReady, .acceptorsStarted])
        return life
    }

    /// It has started a successor.
    static func upgrading(_ manager: Manager = .none) -> GenerationLifecycle {
        var life = serving(manager)
        life.advance([
            .upgradeRequested(.upgrade), .inspected(.upgrade, Surroundings(), ready: nil),
            .stateCollected,
        ])
        return life
    }

    /// It has paused for it, and sent `committed`.
    static func standingBy(_ manager: Manager = .none) -> GenerationLifecycle {
        var life = upgrading(manager)
        life.advance([.successorReady, .introduced, .pauseEnded(failure: nil), .committed])
        return life
    }

    /// The successor accepts.
    static func succeeded(_ manager: Manager = .none) -> GenerationLifecycle {
        var life = standingBy(manager)
        life.advance([.succeeded(drainDeadline: nil), .attemptEnded(nil)])
        return life
    }

    /// The successor is dead, and the first other one is being started.
    static func rescuing() -> GenerationLifecycle {
        var life = succeeded()
        life.advance([.successorDied(.rescue), .lockTaken(.taken), .stateCollected])
        return life
    }

    /// A successor that has taken everything.
    static func successor(_ manager: Manager = .none) -> GenerationLifecycle {
        var life = GenerationLifecycle(.successor)
        life.advance([.began(manager)])
        return life
    }

    mutating func advance(_ events: [Event]) {
        for event in events { _ = handle(event) }
    }
}

extension GenerationLifecycle.Request {
    static let upgrade = Self(id: 1, since: 0, processID: 100)
    static let abort = Self(id: 2, since: 0, processID: 200)
    static let other = Self(id: 3, since: 0, processID: 300)
    static let rescue = Self(id: 4, since: 0, processID: nil)
}

extension Failure {
    static let any = Failure(code: .exited, reason: "ended")
}
