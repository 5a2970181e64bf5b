// SPDX-License-Identifier: Apache-2.0

#if Systemd
import SuccessionSystem
import Testing

@testable import Succession
@testable import SuccessionActivation

/// The way to the manager, which must not depend on there being descriptors.
extension ManagerTests {
    @Test func post_toAManagerThatHasComeBack_arrives() async throws {
        let first = try FakeManager()
        let socket = NotifySocket(first.path)
        try socket.send("READY=1", [])
        #expect(try first.receive().lines == ["READY=1"])
        let second = try FakeManager(inPlaceOf: first)
        // A process that another test is about to start may hold the first one for a moment.
        for _ in 0..<100 where try second.isSilent(for: 100) {
            try socket.send("WATCHDOG=1", [])
        }
        #expect(try second.receive().lines == ["WATCHDOG=1"])
    }

    /// The watchdog ends the process soon: the log is where the reason is looked for.
    @Test(.timeLimit(.minutes(1))) func ping_thatIsLost_isReported() async throws {
        try ReadinessLoop.shared.start()
        let (reports, report) = AsyncStream.makeStream(of: String.self)
        var fake: FakeManager? = try FakeManager()
        let variables = ["NOTIFY_SOCKET": fake?.path ?? "", "WATCHDOG_USEC": "100000"]
        for (key, value) in variables { ProcessEnvironment.set(key, value) }
        defer { for key in variables.keys { ProcessEnvironment.remove(key) } }
        let supervision = await Task { @ControlThread in
            let supervision = Supervision(health: { nil }) { level, message in
                report.yield("\(level): \(message)")
            }
            supervision?.startPinging()
            return supervision
        }.value
        #expect(try fake?.receive().lines == ["WATCHDOG=1"])
        fake = nil
        let text = await reports.first { _ in true } ?? ""
        #expect(text.hasPrefix("error: the service manager's watchdog was not told"))
        #expect(text.contains("NOTIFY_SOCKET"))
        await Task { @ControlThread in supervision?.stopPinging() }.value
    }
}
#endif
