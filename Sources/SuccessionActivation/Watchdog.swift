// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Synchronization

/// Tells the service manager that this process is alive for as long as the application says that it
/// is (`WatchdogSec=`).
///
/// For servers without a `Generation`, which has its own.
public struct Watchdog: Sendable {
    private let manager: ServiceManager
    private let pause: Duration

    /// Nil if nobody watches this process.
    public init?(_ manager: ServiceManager) {
        guard let interval = ServiceManager.watchdogInterval() else { return nil }
        self.manager = manager
        pause = interval / 3
    }

    /// Pings three times in each interval until the task is cancelled.
    ///
    /// Before each ping `health` is asked, and has as long as the pause between two to say true;
    /// otherwise this ping is left out. While one call has not returned no other is made. Without
    /// pings the manager ends the process, by SIGABRT.
    @concurrent
    public func run(health: @escaping @Sendable () async -> Bool = { true }) async {
        let check = HealthCheck(health)
        while !Task.isCancelled {
            if await check.passes(within: pause) { manager.post(.watchdog) }
            // Ends at once when the task is cancelled.
            try? await Task.sleep(for: pause)
        }
    }
}

/// An application's word on itself, with a deadline.
final class HealthCheck: Sendable {
    private let health: @Sendable () async -> Bool
    private let isOut = Mutex(false)

    init(_ health: @escaping @Sendable () async -> Bool) {
        self.health = health
    }

    /// False also if it has not answered in time, or still owes an earlier answer.
    func passes(within deadline: Duration) async -> Bool {
        let mayAsk = isOut.withLock { isOut in
            defer { isOut = true }
            return !isOut
        }
        guard mayAsk else { return false }
        let answer = OneShot<Bool>()
        Task.detached { [self] in
            let isHealthy = await health()
            isOut.withLock { $0 = false }
            answer.fulfil(isHealthy)
        }
        answer.expire(after: deadline, with: false)
        return await answer.value()
    }
}
