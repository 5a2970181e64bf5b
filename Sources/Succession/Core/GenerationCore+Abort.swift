// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem

/// Operators who call an upgrade off.
extension GenerationCore {
    /// Calls the upgrade that runs off; the operator is answered when it is undone.
    func abort(_ session: ControlSession) {
        handle(.abortRequested(requests.add(.abort(session))))
    }

    func answerAbort(_ request: GenerationLifecycle.Request) {
        guard let session = requests.remove(request)?.session else { return }
        var message = Message(.aborted)
        message.add(.generation, number)
        message.add(.processID, Int(ProcessEnvironment.processID))
        if let outcome, outcome.successor > 0 {
            message.add(.successor, Int(outcome.successor))
        }
        message.add(.elapsed, Duration.since(request.since).microsecondsClamped)
        session.send(message)
        session.close()
    }

    func refuseAbort(
        _ request: GenerationLifecycle.Request, _ refusal: GenerationLifecycle.Refusal
    ) {
        requests.remove(request)?.session?.refuse(failure(of: refusal))
    }
}
