// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import Synchronization

/// What operators ask for.
extension GenerationCore {
    func respond(to request: ControlRequest, _ session: ControlSession) {
        switch request {
        case .status:
            session.send(status())
            session.close()
        case .upgrade(let request): upgrade(LaunchPlan(request), session: session)
        case .abort: abort(session)
        case .drain(let request):
            addAudience(session)
            leave(deadline: request.deadline)
        case .stop:
            addAudience(session)
            leave(deadline: .zero)
        case .reload(let request):
            reload(
                Reloading.Asker("pid \(session.peer.processID)", session: session),
                within: request.timeout)
        }
    }
}

extension LaunchPlan {
    /// What an operator asks for.
    init(_ request: Wire.Upgrade) {
        self.init()
        executable = request.executable
        arguments = request.arguments.isEmpty ? nil : request.arguments
        environmentChanges = request.environment
        readyTimeout = request.timeout
        drainDeadline = request.drainDeadline
        wantsAllTaken = request.isStrict
    }
}
