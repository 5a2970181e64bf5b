// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import Synchronization

/// What operators ask for.
extension GenerationCore {
    func respond(to message: Message, _ session: ControlSession) {
        switch message.kind {
        case .status:
            session.send(status())
            session.close()
        case .upgrade:
            let plan = LaunchPlan(message)
            if let refusal = plan.refusal { return session.refuse(refusal) }
            upgrade(plan, session: session)
        case .abort: abort(session)
        case .drain:
            addAudience(session)
            leave(deadline: message.duration(.deadline))
        case .stop:
            addAudience(session)
            leave(deadline: .zero)
        case .reload:
            reload(
                Reloading.Asker("pid \(session.peer.processID)", session: session),
                within: message.duration(.timeout))
        default:
            session.refuse(Failure.unknownKind(message.kind.rawValue))
        }
    }

    private func status() -> Message {
        StatusReply(
            service: service, generation: number, state: states.current, stateSince: stateSince,
            bornAt: bornAt, executable: program.path, running: program.file,
            connections: connections.count,
            remaining: drain?.remaining,
            upgrade: lifecycle.runningRequest.map {
                (attempt?.successorPID ?? 0, $0.since, $0.processID)
            },
            listeners: shared.withLock { $0.listeners }.map { Manifest.entry(for: $0) },
            oldest: connections.oldest(5), supervision: supervision, store: store,
            maximumGenerations: maximumGenerations
        ).message()
    }
}

extension LaunchPlan {
    /// Reads an operator's request.
    init(_ message: Message) {
        self.init()
        executable = message.text("EXECUTABLE")
        let arguments = message.texts("ARG")
        self.arguments = arguments.isEmpty ? nil : arguments
        environmentChanges = message.texts("ENV")
        readyTimeout = message.duration(.timeout)
        drainDeadline = message.duration(.drain)
        wantsAllTaken = message.number(.strict) == 1
    }

    /// Why nothing can be started this way.
    fileprivate var refusal: Failure? {
        guard let name = environmentChanges.lazy.compactMap(OwnVariables.name).first else {
            return nil
        }
        return Failure(
            code: .malformed,
            reason: "ENV=\(name): it speaks of one process alone; the successor gets its own")
    }
}

extension StepReport {
    func message() -> Message {
        var message = Message(.step)
        message.add("STEP", step)
        message.add("STATUS", status)
        message.add("ELAPSED_US", elapsed.microsecondsClamped)
        message.add("DETAIL", detail)
        return message
    }
}
