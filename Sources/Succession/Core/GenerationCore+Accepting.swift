// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SuccessionTransport

/// A generation stops taking from its queues for a successor, and goes on if there will be none.
extension GenerationCore {
    /// Pauses every listener; `completion` gets the reason if one could not, or did not within four
    /// seconds.
    func pauseAccepting(_ completion: @escaping @ControlThread (String?) -> Void) {
        var isDone = false
        let done = { @ControlThread (failure: String?) in
            if !isDone {
                isDone = true
                completion(failure)
            }
        }
        let timer = ControlThread.schedule(after: .seconds(4), of: .ownTime) {
            done("the application did not stop accepting within 4 s")
        }
        ControlThread.begin { [self] in
            do {
                try await acceptors.pause()
                timer.cancel()
                done(nil)
            } catch {
                timer.cancel()
                done("the application could not stop accepting: \(error)")
            }
        }
    }

    func stoodBy() { enter(.standby) }

    func resumeServing() {
        let timer = ControlThread.schedule(after: .seconds(5), of: .ownTime) { [weak self] in
            self?.report(
                .error,
                "the application still hangs where it was told to stop accepting: nobody accepts")
        }
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
            timer.cancel()
            // Told to leave meanwhile: that stands.
            if drain == nil { enter(.serving) }
            supervision?.takeBack(servingStatus())
            store?.takeBack()
        }
    }
}
