// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// Tells the service manager's watchdog that this generation is alive, for as long as it is main.
///
/// On the control thread: one that is stuck is as bad as a process that is stopped.
@ControlThread
final class Heartbeat {
    typealias Check = @Sendable () async -> Bool

    private let pause: Duration
    private let health: @Sendable () -> Check?
    private let report: @ControlThread (SuccessionEvent.Level, String) -> Void
    private let beat: @ControlThread () -> Void
    private var repetition: Repetition?
    /// The check that is out, by number, and whether it is late.
    private var pending: (number: Int, isLate: Bool)?
    private var lastNumber = 0
    private var isWell = true

    init(
        within interval: Duration, health: @escaping @Sendable () -> Check?,
        report: @escaping @ControlThread (SuccessionEvent.Level, String) -> Void,
        beat: @escaping @ControlThread () -> Void
    ) {
        pause = interval / 3
        self.health = health
        self.report = report
        self.beat = beat
    }

    func start() {
        guard repetition == nil else { return }
        repetition = Repetition(every: pause) { [weak self] in self?.turn() }
    }

    func stop() {
        repetition?.stop()
        repetition = nil
    }

    private func turn() {
        guard let check = health() else { return beat() }
        if let pending {
            self.pending = (pending.number, true)
            return diagnose("its health check has not answered within \(pause)")
        }
        lastNumber += 1
        let number = lastNumber
        pending = (number, false)
        Task.detached { [weak self] in
            let isHealthy = await check()
            await self?.answered(number, isHealthy)
        }
    }

    private func answered(_ number: Int, _ isHealthy: Bool) {
        guard let pending, pending.number == number else { return }
        self.pending = nil
        // Not main any more, or too late to be true.
        guard repetition != nil, !pending.isLate else { return }
        guard isHealthy else { return diagnose("its health check says no") }
        if !isWell {
            isWell = true
            report(.info, "the application is healthy again")
        }
        beat()
    }

    private func diagnose(_ reason: String) {
        guard isWell else { return }
        isWell = false
        report(
            .error,
            "the application is not healthy: \(reason); the service manager is told nothing more and will end this process"
        )
    }
}
