// SPDX-License-Identifier: Apache-2.0

extension PredecessorStateMachine {
    mutating func endOfFile() -> [Action] {
        switch state {
        case .awaitingHello, .offering, .offeringState, .awaitingReady, .pausing:
            let reason = "the successor closed the channel before it was ready"
            return end(Failure(code: .channel, reason: reason), .decline)
        case .committed:
            let reason = "the successor closed the channel before it accepted"
            return end(Failure(code: .channel, reason: reason), .decline)
        case .idle, .starting:
            // There is no channel yet.
            return []
        case .ending:
            // It is leaving, as it was asked or as it said; its death is what counts.
            return []
        case .succeeded, .relieved:
            // The successor serves, or has died since: its exit will tell.
            return []
        case .failed:
            // The channel of a dead successor.
            return []
        }
    }

    mutating func successorExited() -> [Action] {
        switch state {
        case .awaitingHello, .offering, .offeringState, .awaitingReady, .pausing:
            return end(Self.exited("was ready"), .death)
        case .committed:
            // If it said `accepting` and that is still unread: nobody accepts any more but this
            // side.
            return end(Self.exited("accepted"), .death)
        case .ending(var ending):
            if ending.stage == .leaving, ending.failure.code == .channel {
                // It was no more than the end-of-file that comes with a death.
                ending.failure = Self.exited(ending.resumes ? "accepted" : "was ready")
            }
            ending.stage = .dead
            return [.clearDeadline] + proceed(ending)
        case .idle, .starting:
            // There is no successor yet.
            return []
        case .succeeded:
            state = .relieved
            return [.takeOver]
        case .relieved:
            // It had said that it leaves, or never says so.
            return []
        case .failed:
            // A successor dies once.
            return []
        }
    }

    mutating func successorLeft() -> [Action] {
        switch state {
        case .succeeded:
            state = .relieved
            return [.letGo]
        case .idle, .starting, .awaitingHello, .offering, .offeringState, .awaitingReady,
            .pausing, .committed, .ending, .relieved, .failed:
            // Before it accepts one end is like another.
            return successorExited()
        }
    }

    private static func exited(_ milestone: String) -> Failure {
        Failure(code: .exited, reason: "the successor ended before it \(milestone)")
    }

    /// What the successor has not done; the person who reads it wants to know how far it came.
    private var missing: String {
        switch state {
        case .starting:
            "it was not executed (does the file system hang that its program is on?)"
        case .awaitingHello: "it never said hello (does it begin a generation of this service?)"
        case .offering, .offeringState: "it has not taken what it was offered"
        case .awaitingReady: "it took everything and never said that it is ready"
        case .idle, .pausing, .committed, .ending, .succeeded, .relieved, .failed:
            "\(state)"
        }
    }

    mutating func deadlineExpired() -> [Action] {
        switch state {
        case .starting:
            let reason = "the successor was not ready in time: \(missing)"
            return abandon(Failure(code: .timeout, reason: reason))
        case .awaitingHello, .offering, .offeringState, .awaitingReady:
            let reason = "the successor was not ready in time: \(missing)"
            return end(Failure(code: .timeout, reason: reason), .abort)
        case .pausing:
            let reason = "this generation could not stop accepting in time"
            return end(Failure(code: .timeout, reason: reason), .abort)
        case .committed:
            let reason = "the successor was ready, but did not accept in time"
            return end(Failure(code: .timeout, reason: reason), .abort)
        case .ending(var ending):
            switch ending.stage {
            case .leaving:
                ending.stage = .terminated
                state = .ending(ending)
                return [.terminateSuccessor, .setDeadline(.death)]
            case .terminated:
                ending.stage = .killed
                state = .ending(ending)
                return [.killSuccessor, .setDeadline(.burial)]
            case .killed:
                // The kernel does not let go of it: it hangs there, and will never again run a line
                // of its own. That somebody accepts cannot wait for it.
                ending.failure.reason +=
                    "; SIGKILL has not ended it yet: it hangs in the kernel and accepts nothing"
                ending.stage = .dead
                return proceed(ending)
            case .dead:
                // No deadline is set: it waits for a pause.
                return []
            }
        case .idle, .succeeded, .relieved, .failed:
            // No deadline is set.
            return []
        }
    }

    mutating func cancelled(_ failure: Failure) -> [Action] {
        switch state {
        case .idle:
            state = .failed(failure)
            return [.failed(failure)]
        case .starting:
            return abandon(failure)
        case .awaitingHello, .offering, .offeringState, .awaitingReady, .pausing, .committed:
            return end(failure, .abort)
        case .ending:
            // It ends already, for another reason.
            return []
        case .succeeded, .relieved:
            // Past the point of no return.
            return []
        case .failed:
            // There is nothing left to cancel.
            return []
        }
    }

    mutating func receivedAbort(_ failure: Failure) -> [Action] {
        switch state {
        case .awaitingHello, .offering, .offeringState, .awaitingReady, .pausing, .committed:
            return end(failure, .decline)
        case .idle, .starting:
            // There is no channel yet.
            return []
        case .ending:
            // Both sides gave up at once; the first reason stands.
            return []
        case .succeeded, .relieved:
            // It accepts, so it may no longer abort; this side drains.
            return []
        case .failed:
            // Read after its sender's death.
            return []
        }
    }

    /// A message that breaks the protocol.
    mutating func receivedWrong(_ failure: Failure) -> [Action] {
        switch state {
        case .awaitingHello, .offering, .offeringState, .awaitingReady, .pausing, .committed:
            return end(failure, .abort)
        case .idle, .starting:
            // There is no channel yet.
            return []
        case .ending:
            // Sent before the successor learnt that it is over.
            return []
        case .succeeded, .relieved:
            // The successor accepts: nothing it says can change that.
            return []
        case .failed:
            // Read after its sender's death.
            return []
        }
    }

    mutating func receivedUnknown(_ kind: String) -> [Action] {
        switch state {
        case .awaitingHello, .offering, .offeringState, .awaitingReady, .pausing, .committed,
            .succeeded, .relieved:
            return [.sendRefusedUnknownKind(kind)]
        case .idle, .starting:
            // There is no channel yet.
            return []
        case .ending, .failed:
            // Nothing follows an abort.
            return []
        }
    }

    mutating func unexpected(_ kind: String) -> [Action] {
        receivedWrong(
            Failure(code: .unexpected, reason: "the successor sent '\(kind)' at the wrong time"))
    }
}

// MARK: - The end of the successor

extension PredecessorStateMachine {
    /// Gives up: the successor is ended first, then this side serves on.
    ///
    /// A successor that leaves of its own accord gets as long as any to do so before it is
    /// signalled: its exit status and its last words are what the operator needs.
    mutating func end(
        _ failure: Failure, _ cause: TerminationCause, pauseIsPending: Bool? = nil
    ) -> [Action] {
        var ending = Ending(failure: failure)
        var abandons: [Action] = []
        if case .pausing = state {
            ending.resumes = true
            ending.pauseIsPending = pauseIsPending ?? true
            if ending.pauseIsPending { abandons = [.abandonPause] }
        }
        if case .committed = state { ending.resumes = !isDraining }
        switch cause {
        case .abort:
            ending.stage = .terminated
            state = .ending(ending)
            return abandons + [.sendAbort(failure), .setDeadline(.death), .terminateSuccessor]
        case .decline:
            state = .ending(ending)
            return abandons + [.setDeadline(.death)]
        case .death:
            ending.stage = .dead
            return abandons + [.clearDeadline] + proceed(ending)
        }
    }

    /// Concludes the attempt once the successor is dead and no pause is under way, and not before:
    /// one generation accepts at a time, and a pause that ends after the resumption would undo it.
    mutating func proceed(_ ending: Ending) -> [Action] {
        guard ending.stage == .dead, !ending.pauseIsPending else {
            state = .ending(ending)
            return []
        }
        state = .failed(ending.failure)
        return (ending.resumes ? [.resumeAccepting] : []) + [.failed(ending.failure)]
    }
}
