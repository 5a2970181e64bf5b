// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// Callers of ``Listener/accept()`` that wait for a connection or for their generation's turn.
@ControlThread
final class AcceptWaiters {
    static let shared = AcceptWaiters()

    private var waiting: [CInt: [OneShot<Void>]] = [:]

    /// Returns when trying again may help, or when the task is cancelled.
    func wait(for descriptor: OwnedDescriptor, _ gate: AcceptGate) async {
        // Between the caller's attempt and this line the gate may have closed, and nobody would
        // wake us again.
        if gate.isClosed { return }
        let number = descriptor.rawValue
        let signal = OneShot<Void>()
        waiting[number, default: []].append(signal)
        if gate.isOpen, waiting[number]?.count == 1 { watch(number) }
        await withTaskCancellationHandler {
            await signal.value()
        } onCancel: {
            signal.fulfil(())
        }
    }

    /// Lets every caller try again.
    func wake(_ descriptor: OwnedDescriptor) {
        wake(descriptor.rawValue)
    }

    func forget(_ descriptor: OwnedDescriptor) {
        let number = descriptor.rawValue
        wake(number)
        ControlThread.unwatch(number)
    }

    private func watch(_ number: CInt) {
        do {
            try ControlThread.watch(number) { [weak self] in self?.wake(number) }
        } catch {
            // Cannot be watched (no descriptors left, or no socket): the attempt itself will name
            // the reason.
            wake(number)
        }
    }

    private func wake(_ number: CInt) {
        ControlThread.unwatch(number)
        for signal in waiting.removeValue(forKey: number) ?? [] { signal.fulfil(()) }
    }
}
