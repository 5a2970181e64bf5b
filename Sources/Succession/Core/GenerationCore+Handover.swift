// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem

/// A generation gives its listeners to a successor.
extension GenerationCore: PredecessorHost {
    var readyTimeout: Duration { configuration.readyTimeout }
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

    func introduce(
        _ successor: ProcessHandle, _ completion: @escaping @ControlThread (String?) -> Void
    ) {
        guard let supervision else { return completion(nil) }
        step("introducing")
        store?.relinquish()
        supervision.introduce(successor, completion)
    }

    func warn(_ message: String) { report(.warning, message) }
}

/// A generation takes the listeners of its predecessor.
extension GenerationCore: SuccessorHost {
    func giveBack(
        to predecessor: Int32, _ completion: @escaping @ControlThread () -> Void
    ) {
        guard let supervision else { return completion() }
        supervision.giveBack(to: predecessor, completion)
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
