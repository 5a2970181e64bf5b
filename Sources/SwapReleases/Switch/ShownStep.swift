// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl

/// A step that swapctl performs itself, reported like the steps of the server.
struct ShownStep {
    private var step: UpgradeStep
    private let start = Syscall.monotonicNanoseconds()
    private let observe: (ControlEvent) -> Void

    init(_ name: String, _ detail: String, _ observe: @escaping (ControlEvent) -> Void) {
        step = UpgradeStep(name: name, status: .running, elapsedMicroseconds: 0, detail: detail)
        self.observe = observe
        observe(.step(step))
    }

    func end(_ event: SwitchStateMachine.Event) -> SwitchStateMachine.Event {
        var step = step
        step.status = event == .done ? .ok : .failed
        step.elapsedMicroseconds = Int((Syscall.monotonicNanoseconds() - start) / 1_000)
        observe(.step(step))
        return event
    }
}
