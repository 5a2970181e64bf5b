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
        let successor = outcome.map(\.successor) ?? 0
        session.send(
            Wire.Aborted(
                generation: number, processID: ProcessEnvironment.processID,
                successor: successor > 0 ? successor : nil, elapsed: .since(request.since)))
        session.close()
    }

    func refuseAbort(
        _ request: GenerationLifecycle.Request, _ refusal: GenerationLifecycle.Refusal
    ) {
        requests.remove(request)?.session?.refuse(failure(of: refusal))
    }
}
