// SPDX-License-Identifier: Apache-2.0

#if Systemd
import SuccessionActivation
import SuccessionSystem
import Synchronization
import Testing

extension ManagerTests {
    /// Answers as it is told to, and tells each time that it said no.
    private final class Patient: Sendable {
        private let isHealthy = Mutex(true)
        private let refusals: AsyncStream<Void>
        private let refused: AsyncStream<Void>.Continuation

        init() { (refusals, refused) = AsyncStream.makeStream() }

        func becomes(healthy: Bool) { isHealthy.withLock { $0 = healthy } }

        func answer() -> Bool {
            let isHealthy = isHealthy.withLock { $0 }
            if !isHealthy { refused.yield() }
            return isHealthy
        }

        func hasRefused(times: Int) async {
            var left = times
            for await _ in refusals {
                left -= 1
                if left == 0 { return }
            }
        }
    }

    @Test func watchdog_pingsWhileHealthy_andOnlyThen() async throws {
        try await withManager { manager, fake in
            ProcessEnvironment.set("WATCHDOG_USEC", "30000")
            defer { ProcessEnvironment.remove("WATCHDOG_USEC") }
            let patient = Patient()
            let watchdog = try #require(Watchdog(manager))
            let run = Task { await watchdog.run { patient.answer() } }
            for _ in 1...3 {
                let ping = try fake.receive().lines
                #expect(ping == ["WATCHDOG=1"])
            }
            patient.becomes(healthy: false)
            // It is asked again when the last answer has been dealt with.
            await patient.hasRefused(times: 1)
            manager.flush()
            while try !fake.isSilent() { _ = try fake.receive() }
            await patient.hasRefused(times: 3)
            manager.flush()
            let isSilent = try fake.isSilent()
            #expect(isSilent)
            patient.becomes(healthy: true)
            let ping = try fake.receive().lines
            #expect(ping == ["WATCHDOG=1"])
            run.cancel()
            await run.value
        }
    }

    @Test func watchdog_whenTheHealthCheckHangs_doesNotAskAgain() async throws {
        try await withManager { manager, fake in
            ProcessEnvironment.set("WATCHDOG_USEC", "30000")
            defer { ProcessEnvironment.remove("WATCHDOG_USEC") }
            let calls = Mutex(0)
            let watchdog = try #require(Watchdog(manager))
            let run = Task {
                await watchdog.run {
                    calls.withLock { $0 += 1 }
                    // Until the task is cancelled, which a detached one never is.
                    try? await Task.sleep(for: .seconds(3_600))
                    return true
                }
            }
            // Ten intervals without a ping, which the manager would have ended the process for.
            let isSilent = try fake.isSilent(for: 300)
            #expect(isSilent)
            #expect(calls.withLock { $0 } == 1)
            run.cancel()
            await run.value
        }
    }
}
#endif
