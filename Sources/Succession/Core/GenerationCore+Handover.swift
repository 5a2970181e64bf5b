// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem

/// A generation gives its listeners to a successor.
extension GenerationCore: PredecessorHost {
    var isChildOfManager: Bool { supervision?.isChildOfManager == true }
    var hasForegroundParent: Bool { ForegroundPolicy.parent != nil }

    func request(
        _ plan: LaunchPlan, channel: OwnedDescriptor, capturedError: OwnedDescriptor?
    ) -> SpawnRequest {
        plan.request(
            own: program, channel: channel, capturedError: capturedError,
            asSibling: isChildOfManager)
    }

    func path(of plan: LaunchPlan) -> String { plan.executable ?? program.path }

    func begins(_ driver: PredecessorDriver) {
        if !driver.isRescue { reportStart(of: driver) }
    }

    func pauseAccepting(
        for successor: ProcessHandle?, _ completion: @escaping @ControlThread (String?) -> Void
    ) {
        pause = (successor, completion)
        handle(.successorReady)
    }

    func abandonPause() { handle(.pauseAbandoned) }
    func stoodBy() { handle(.committed) }
    func resumeServing() { handle(.resumptionNeeded) }

    func succeeded(by driver: PredecessorDriver) {
        handle(.succeeded(drainDeadline: driver.plan.drainDeadline))
    }

    func takeOver(from driver: PredecessorDriver) {
        if driver === attempt { handle(.successorDied(requests.make())) }
    }

    func letGo(of driver: PredecessorDriver) {
        if driver === attempt { handle(.successorLeft) }
    }

    func introduceSuccessor(within limit: Duration) {
        guard let supervision, let successor = pause?.successor else {
            return handleIntroduction(nil)
        }
        supervision.introduce(
            successor, within: limit, grace: deadlines.introductionExtension
        ) { [weak self] in self?.handleIntroduction($0) }
    }

    private func handleIntroduction(_ failure: String?) {
        handle(failure.map { .introductionFailed(reason: $0) } ?? .introduced)
    }

    func warn(_ message: String) { report(.warning, message) }
}

/// A generation takes the listeners of its predecessor.
extension GenerationCore: SuccessorHost {
    func startAccepting() async throws { try await accept(on: .turn) }

    func handoverFailed(_ completion: @escaping @ControlThread () -> Void) {
        endHandover = completion
        handle(.handoverFailed)
    }

    func giveBackMainProcess(within limit: Duration) {
        guard let supervision, let successorDriver else {
            handle(.mainProcessGivenBack)
            return
        }
        supervision.giveBack(to: successorDriver.predecessor, within: limit) { [weak self] in
            self?.handle(.mainProcessGivenBack)
        }
    }
}

extension SuccessionError {
    init(_ refusal: SuccessorDriver.Refusal) {
        switch refusal {
        case .failed(let failure):
            let code: Code =
                switch failure.code {
                case .state, .application: .refused
                case .operator, .exited, .busy: .aborted
                default: .handoverFailed
                }
            self.init(code, failure.reason)
        case .cannotWatchChannel(let errno):
            self = .system("cannot watch the channel to the predecessor", errno)
        }
    }
}
