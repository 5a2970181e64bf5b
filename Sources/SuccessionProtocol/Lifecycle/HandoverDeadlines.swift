// SPDX-License-Identifier: Apache-2.0

/// How long each part of a hand-over, of a replacement and of a drain may take (docs/protocol.md
/// §2.3).
///
/// This is the only place that knows a length: the state machines name a deadline, the drivers set a
/// timer to the length given here. All of them count the process's own time. `ready`, `drain` and
/// `exitGrace` come from the configuration of the server; an operator may override the first two.
package struct HandoverDeadlines: Sendable, Hashable {
    // MARK: The predecessor

    /// From the start of the successor until it is ready; as long again for the application to
    /// write its state before that.
    package var ready: Duration = .seconds(60)
    /// From `ready` until the predecessor has paused, and then from `committed` until `accepting`.
    package var accepting: Duration = .seconds(5)
    /// For the service manager to take the successor for the main process.
    package var introduction: Duration = .seconds(3)
    /// What the service manager is asked for when the successor is introduced: how long it may take
    /// until the first ping.
    package var introductionExtension: Duration = .seconds(10)
    /// For the application to stop accepting.
    ///
    /// Shorter than `accepting`, so that the failure names the application.
    package var pause: Duration = .seconds(4)
    /// Until an application that does not accept again after a failed upgrade is reported; nothing
    /// else happens then.
    package var resume: Duration = .seconds(5)
    /// From SIGTERM, or from the successor's own last word, until it is dead.
    package var death: Duration = .seconds(1)
    /// From SIGKILL until the predecessor goes on as if the successor were dead.
    package var burial: Duration = .seconds(5)

    // MARK: The successor

    /// From `hello` or `taken` until the predecessor's next message.
    package var answer: Duration = .seconds(10)
    /// From `ready` until `committed`.
    package var commit: Duration = .seconds(15)
    /// For the service manager to take the predecessor for the main process again.
    package var giveBack: Duration = .milliseconds(500)

    // MARK: Either side

    /// Between two attempts to send a message on which the other side waits, while the kernel has no
    /// room for it.
    package var resend: Duration = .milliseconds(50)

    // MARK: A successor that died while its predecessor drains

    /// How many successors are started in one drain in the place of one that died.
    package var maximumRescues = 3
    /// Between the failure of one and the start of the next.
    package var rescuePause: Duration = .seconds(1)
    /// What is left of a drain when the service manager waits for the end of this process to start
    /// the service anew.
    package var bereft: Duration = .seconds(2)

    // MARK: The end

    /// From the beginning of a drain until what is left is cut.
    package var drain: Duration = .seconds(30)
    /// From there until the process is ended; nil: it is not.
    package var exitGrace: Duration?

    package init() {}

    package func length(of deadline: PredecessorStateMachine.Deadline) -> Duration {
        switch deadline {
        case .ready: ready
        case .accepting: accepting
        case .death: death
        case .burial: burial
        }
    }

    package func length(of deadline: SuccessorStateMachine.Deadline) -> Duration {
        switch deadline {
        case .answer: answer
        case .commit: commit
        }
    }

    package func length(of timer: GenerationLifecycle.Timer) -> Duration {
        switch timer {
        case .pause: pause
        case .resume: resume
        case .rescue: rescuePause
        }
    }

    /// The longest that an upgrade may take: for the state, for the successor until it is ready, and
    /// for the commit with all that may have to be undone.
    package func wholeUpgrade(ready: Duration) -> Duration {
        ready + ready + .seconds(15)
    }

    /// The longest that a drain may take, with the time until the process is ended.
    package func wholeDrain(_ deadline: Duration) -> Duration {
        deadline + (exitGrace ?? .zero)
    }
}

extension HandoverDeadlines {
    /// One length is enough: lifecycles that are compared have the same deadlines.
    package func hash(into hasher: inout Hasher) { hasher.combine(ready) }
}
