// SPDX-License-Identifier: Apache-2.0

/// A call that is made again and again until it is stopped.
@ControlThread
package final class Repetition {
    private let interval: Duration
    private let call: @ControlThread () -> Void
    private var timer: Timer?

    package init(
        every interval: Duration, first: Duration? = nil,
        _ call: @escaping @ControlThread () -> Void
    ) {
        self.interval = interval
        self.call = call
        arm(after: first ?? interval)
    }

    package func stop() {
        timer?.cancel()
        timer = nil
    }

    private func arm(after delay: Duration) {
        timer = ControlThread.schedule(after: delay) { [weak self] in
            guard let self else { return }
            // Armed first: the call may stop it.
            self.arm(after: self.interval)
            self.call()
        }
    }
}
