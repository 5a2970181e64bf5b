// SPDX-License-Identifier: Apache-2.0

extension SuccessorStateMachine {
    mutating func endOfFile() -> [Action] {
        switch state {
        case .greeting, .taking, .takingState:
            let reason = "the predecessor closed the channel before it had handed everything over"
            return fail(Failure(code: .channel, reason: reason))
        case .inherited:
            state = .orphaned
            return [.predecessorGone]
        case .readying:
            state = .starting(predecessorAlive: false)
            return [.clearDeadline, .predecessorGone, .startAccepting]
        case .starting(predecessorAlive: true):
            state = .starting(predecessorAlive: false)
            return [.predecessorGone]
        case .serving(predecessorAlive: true):
            state = .serving(predecessorAlive: false)
            return [.predecessorGone]
        case .idle:
            // Nobody reads the channel yet.
            return []
        case .orphaned, .starting(predecessorAlive: false), .serving(predecessorAlive: false):
            // A predecessor dies once.
            return []
        case .failed:
            // This side has left the channel.
            return []
        }
    }

    mutating func deadlineExpired() -> [Action] {
        switch state {
        case .greeting, .taking, .takingState:
            return abort(
                Failure(code: .timeout, reason: "the predecessor did not answer in time"))
        case .readying:
            return abort(
                Failure(code: .timeout, reason: "the predecessor did not commit in time"))
        case .idle, .inherited, .orphaned, .starting, .serving, .failed:
            // No deadline is set.
            return []
        }
    }

    mutating func receivedAbort(_ failure: Failure) -> [Action] {
        switch state {
        case .greeting, .taking, .takingState, .inherited, .readying:
            return fail(failure)
        case .starting(predecessorAlive: true):
            // It waited too long for `accepting`. It resumes once this process is dead, so the
            // sooner the better.
            return fail(failure)
        case .serving(predecessorAlive: true):
            // It crossed with `accepting`. A predecessor that lives ends this process by signal; if
            // it has died meanwhile, nobody but this side accepts.
            return []
        case .idle:
            // Nobody reads the channel yet.
            return []
        case .orphaned, .starting(predecessorAlive: false), .serving(predecessorAlive: false):
            // Nothing follows end-of-file.
            return []
        case .failed:
            // Both sides gave up at once; the first reason stands.
            return []
        }
    }

    /// A message that breaks the protocol.
    mutating func receivedWrong(_ failure: Failure) -> [Action] {
        switch state {
        case .greeting, .taking, .takingState, .inherited, .readying:
            return abort(failure)
        case .starting, .serving:
            // The predecessor has stopped accepting: nothing it says afterwards is worth leaving
            // nobody to serve.
            return []
        case .idle:
            // Nobody reads the channel yet.
            return []
        case .orphaned:
            // Nothing follows end-of-file.
            return []
        case .failed:
            // Sent before the predecessor learnt that it is over.
            return []
        }
    }

    mutating func receivedUnknown(_ kind: String) -> [Action] {
        switch state {
        case .greeting, .taking, .takingState, .inherited, .readying,
            .starting(predecessorAlive: true), .serving(predecessorAlive: true):
            return [.sendRefusedUnknownKind(kind)]
        case .idle:
            // Nobody reads the channel yet.
            return []
        case .orphaned, .starting(predecessorAlive: false), .serving(predecessorAlive: false):
            // Nothing follows end-of-file.
            return []
        case .failed:
            // Nothing follows an abort.
            return []
        }
    }

    /// How far the predecessor's drain has come.
    mutating func receivedDrainProgress(_ kind: String) -> [Action] {
        switch state {
        case .serving:
            // For the driver to report; it changes nothing here.
            return []
        case .idle, .greeting, .taking, .takingState, .inherited, .orphaned, .readying, .starting,
            .failed:
            return unexpected(kind)
        }
    }

    mutating func unexpected(_ kind: String) -> [Action] {
        receivedWrong(
            Failure(code: .unexpected, reason: "the predecessor sent '\(kind)' at the wrong time"))
    }

    mutating func abort(_ failure: Failure) -> [Action] {
        state = .failed(failure)
        return [.clearDeadline, .sendAbort(failure), .fail(failure)]
    }

    mutating func fail(_ failure: Failure) -> [Action] {
        state = .failed(failure)
        return [.clearDeadline, .fail(failure)]
    }
}
