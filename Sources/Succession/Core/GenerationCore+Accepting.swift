// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport

/// A generation begins to accept, stops for a successor, and goes on if there will be none.
extension GenerationCore {
    /// Starts the acceptors; throws if they cannot be started, or if this generation leaves.
    func accept(on event: GenerationLifecycle.Event) async throws {
        step("starting to accept")
        guard handle(event).contains(.startAcceptors) else { throw leaves() }
        do {
            try publishServing()
            try await acceptors.resume()
        } catch {
            handle(.acceptorsFailed)
            throw error
        }
        guard handle(.acceptorsStarted).contains(.announceServing) else { throw leaves() }
    }

    private func leaves() -> SuccessionError {
        SuccessionError(.aborted, "generation \(number) was told to leave before it accepted")
    }

    private func publishServing() throws {
        do {
            try directory.publishServing(number)
        } catch {
            // A predecessor that lives serves on; without one there is nobody but this generation.
            guard successorDriver?.isPredecessorGone == true else { throw error }
            reportUnpublished(error)
        }
    }

    private func reportUnpublished(_ error: any Error) {
        report(
            .warning,
            "cannot write \(directory.servingPath) (\(error)): swapctl does not find this generation"
        )
    }

    func announceServing() {
        // Before the manager hears that this generation is ready: from then on it may crash.
        keepListeners()
        supervision?.serving(servingStatus())
        for (path, identity) in leftOverPaths { Self.remove(path, ifStill: identity) }
    }

    func pauseAcceptors() {
        step("pausing")
        ControlThread.begin { [self] in
            do {
                try await acceptors.pause()
                handle(.pauseEnded(failure: nil))
            } catch {
                handle(.pauseEnded(failure: "\(error)"))
            }
        }
    }

    func answerPause(_ failure: GenerationLifecycle.PauseFailure?) {
        let answer = pause?.answer
        pause = nil
        answer?(failure?.reason)
    }

    func resumeAcceptors() {
        ControlThread.begin { [self] in
            // Nothing of what fails here is a reason to leave anything else undone: there is nobody
            // but this process.
            do {
                try directory.publishServing(number)
            } catch {
                reportUnpublished(error)
            }
            do {
                try await acceptors.resumeAll()
            } catch {
                report(.error, "cannot accept again after a failed upgrade: \(error)")
            }
            handle(.resumed)
        }
    }

    /// Lets connections end and stops the acceptors for good.
    func stopAcceptors(removing: GenerationLifecycle.PathRemoval, keepsListeners: Bool) {
        if case .draining(let deadline) = states.current {
            connections.beginDrain(deadline: deadline)
        }
        // On this thread: the successor's first moments are no time to make others.
        ControlThread.begin { [self] in
            await acceptors.stop(keeping: { keepsListeners }) { listener in
                switch removing {
                case .all: Self.removePath(of: listener)
                case .ownPaths: if listener.isBoundHere { Self.removePath(of: listener) }
                case .none: break
                }
            }
            drain?.waitForConnections()
        }
    }
}
