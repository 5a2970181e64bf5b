// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport

/// What the lifecycle decides, in words.
extension GenerationCore {
    /// - Parameter action: what was asked for, after "can"; of `.generations`, the whole reason.
    func failure(of refusal: GenerationLifecycle.Refusal, toDo action: String = "") -> Failure {
        switch refusal {
        case .busy(let request): busy(request)
        case .notServing(let state):
            Failure(
                code: .notServing,
                reason:
                    "generation \(number) (pid \(ProcessEnvironment.processID)) is \(GenerationState(state).word), and only one that serves can \(action)"
            )
        case .parent:
            Failure(
                code: .parent,
                reason: obstacleOfParent() ?? "its parent waits for this process alone")
        case .generations: Failure(code: .generations, reason: action)
        case .noUpgrade(let isSuccessor):
            Failure(
                code: .noUpgrade,
                reason: isSuccessor
                    ? "generation \(number) is the successor in an upgrade: its predecessor calls it off"
                    : "no upgrade is running: there is nothing to call off")
        case .tooLate:
            Failure(
                code: .tooLate,
                reason:
                    "generation \(number + 1)\(successorPID) has taken over already: to return, upgrade to the former program"
            )
        }
    }

    private func busy(_ request: GenerationLifecycle.Request) -> Failure {
        let pid = attempt?.successorPID ?? 0
        let successor = pid > 0 ? "pid \(pid)" : "not started yet"
        let age = (Syscall.monotonicNanoseconds() - request.since) / 1_000_000
        let by = request.processID.map { "pid \($0)" } ?? "a signal"
        return Failure(
            code: .busy,
            reason:
                "an upgrade is running: generation \(number + 1) (\(successor)) was asked for by \(by) \(age) ms ago; `swapctl abort \(service)` calls it off"
        )
    }

    private var successorPID: String { attempt.map { " (pid \($0.successorPID))" } ?? "" }

    /// A parent that waits for this process alone would end what an upgrade has begun.
    func obstacleOfParent() -> String? {
        ForegroundPolicy.obstacle(to: service, configuration, isFirst: successorDriver == nil)
    }

    func reason(of callOff: GenerationLifecycle.CallOff) -> String {
        switch callOff {
        case .toldToLeave: return "generation \(number) was told to leave"
        case .aborted(let request):
            let pid = request.processID ?? 0
            return "called off by \(pid > 0 ? "pid \(pid)" : "an operator")"
        }
    }

    func reportCallOff(_ callOff: GenerationLifecycle.CallOff) {
        guard case .aborted = callOff else { return }
        report(.info, "the upgrade is \(reason(of: callOff))")
    }

    func report(_ notice: GenerationLifecycle.Notice) {
        switch notice {
        case .resumptionHangs:
            report(
                .error,
                "the application still hangs where it was told to stop accepting: nobody accepts")
        case .successorIsUnsupervised: supervision?.warnOfUnsupervisedSuccessor()
        case .bereft:
            report(.error, "\(endOfSuccessor); the service manager starts the service anew")
        case .lockIsNotTaken(.failed(let error)):
            report(.error, "\(endOfSuccessor); cannot lock \(directory.lockPath): \(error)")
        case .lockIsNotTaken:
            report(.error, "\(endOfSuccessor); another process serves, or will")
        case .rescueBegins:
            report(
                .error,
                "\(endOfSuccessor) while this one drains: starting this one's program in its place")
            // What is called off from now on is the start of another one.
            attempt = nil
        case .rescueFails(let failure):
            attempt = nil
            directory.removeIfStale(number + 1)
            report(.error, "could not be started: \(failure.reason); trying again")
        case .rescueEnds(let end):
            offeredDescriptors = []
            collectedState = nil
            report(end)
        }
    }

    private func report(_ end: GenerationLifecycle.RescueEnd) {
        switch end {
        case .succeeded:
            report(.info, "generation \(number + 1)\(successorPID) serves in its place")
        case .failed(let failure):
            attempt = nil
            report(.error, "nobody serves: \(failure.reason)")
        case .calledOff(let callOff):
            attempt = nil
            report(.error, "nobody serves: \(reason(of: callOff))")
        case .unwanted:
            report(.error, "\(endOfSuccessor); this one was told to leave: nobody serves")
        case .usedUp:
            report(
                .error,
                "\(endOfSuccessor); \(deadlines.maximumRescues) were started in this drain before: nobody serves"
            )
        }
    }

    private var endOfSuccessor: String {
        let end = attempt?.exit.map { "\($0)" } ?? "has died"
        return "generation \(number + 1)\(successorPID) \(end)"
    }
}

extension GenerationLifecycle.PauseFailure {
    var reason: String {
        switch self {
        case .upgradeIsOver: "the upgrade is over"
        case .introduction(let reason): reason
        case .application(let reason): "the application could not stop accepting: \(reason)"
        case .overdue(let limit):
            "the application did not stop accepting within \(limit.components.seconds) s"
        }
    }
}
