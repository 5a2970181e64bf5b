// SPDX-License-Identifier: Apache-2.0

#if Systemd
import CSystemd
import SuccessionActivation
import SuccessionSystem
import Testing

/// What a manager hears, and what the environment means; one after the other, for the environment
/// is the process's.
@Suite(.serialized) struct ManagerTests {
    private static let own = "\(ProcessEnvironment.processID)"

    private func withEnvironment(
        _ variables: [String: String], _ body: () async throws -> Void
    ) async throws {
        for (key, value) in variables { ProcessEnvironment.set(key, value) }
        defer { for key in variables.keys { ProcessEnvironment.remove(key) } }
        try await body()
    }

    func withManager(
        _ body: (ServiceManager, FakeManager) async throws -> Void
    ) async throws {
        let fake = try FakeManager()
        try await withEnvironment(["NOTIFY_SOCKET": fake.path]) {
            try await body(#require(ServiceManager()), fake)
        }
    }

    @Test(arguments: [nil, "vsock:2:1234", "relative", ""])
    func manager_whenItsSocketIsMissingOrOfAnotherWorld_isNil(address: String?) async throws {
        try await withEnvironment(address.map { ["NOTIFY_SOCKET": $0] } ?? [:]) {
            #expect(ServiceManager() == nil)
        }
    }

    @Test func post_withSeveralNotices_isOneMessage() async throws {
        try await withManager { manager, fake in
            manager.post(.ready, .watchdog, .status("generation 1\nserves"))
            let lines = try fake.receive().lines
            #expect(lines == ["READY=1", "WATCHDOG=1", "STATUS=generation 1 serves"])
        }
    }

    @Test func post_ofManyMessages_keepsTheirOrder() async throws {
        try await withManager { manager, fake in
            for number in 1...100 { manager.post(ManagerNotice("X_NUMBER", "\(number)")) }
            for number in 1...100 {
                let lines = try fake.receive().lines
                #expect(lines == ["X_NUMBER=\(number)"])
            }
        }
    }

    @Test func notices_withTimes_areAsTheManualHasThem() async throws {
        try await withManager { manager, fake in
            let before = Syscall.monotonicNanoseconds() / 1_000
            manager.post(.reloading())
            let reloading = try fake.receive().lines
            #expect(reloading.first == "RELOADING=1")
            let moment = try #require(
                reloading.last?.split(separator: "=").last.flatMap { UInt64($0) })
            #expect((before...Syscall.monotonicNanoseconds() / 1_000).contains(moment))
            manager.post(.extendTimeout(by: .milliseconds(1_500)), .stopping)
            let times = try fake.receive().lines
            #expect(times == ["EXTEND_TIMEOUT_USEC=1500000", "STOPPING=1"])
        }
    }

    @Test func status_ofAnyLength_isCutAtACharacter() async throws {
        try await withManager { manager, fake in
            manager.post(.status(String(repeating: "ü", count: 4_000)))
            let line = try #require(try fake.receive().lines.first)
            #expect(line.hasPrefix("STATUS=ü") && line.hasSuffix("ü"))
            #expect(line.utf8.count <= 1_026)
        }
    }

    @Test func mainProcess_isNamedByNumberAndIdentity_neverByDescriptor() async throws {
        try await withManager { manager, fake in
            manager.submit([.mainProcess(17, identity: 4_711), .watchdog]) { _ in }
            let identified = try fake.receive().lines
            #expect(identified == ["MAINPID=17", "MAINPIDFDID=4711", "WATCHDOG=1"])
            manager.submit([.mainProcess(17, identity: nil)]) { _ in }
            let numbered = try fake.receive().lines
            #expect(numbered == ["MAINPID=17"])
        }
    }

    @Test func descriptors_goWithTheirMessage() async throws {
        try await withManager { manager, fake in
            let (read, write) = try Syscall.pipe(nonBlocking: true)
            manager.submit([ManagerNotice("FDSTORE", "1")], descriptors: [read]) { _ in }
            let message = try fake.receive()
            #expect(message.descriptors.count == 1)
            try Syscall.writeAll(write.rawValue, [7])
            let copy = try #require(message.descriptors.first)
            let bytes = try Syscall.read(copy.rawValue, count: 9)
            #expect(bytes == [7])
        }
    }

    @Test func send_whenTheManagerActs_returns() async throws {
        try await withManager { manager, fake in
            async let sent: Void = manager.send(.ready, within: .seconds(20))
            let message = try fake.receive().lines
            #expect(message == ["READY=1"])
            // Its descriptor is closed with the message: that is the manager's answer.
            let barrier = try fake.receive().lines
            #expect(barrier == ["BARRIER=1"])
            try await sent
        }
    }

    @Test func send_whenTheManagerDoesNot_throwsInTime() async throws {
        try await withManager { manager, _ in
            let start = Syscall.monotonicNanoseconds()
            await #expect {
                try await manager.send(.ready, within: .milliseconds(100))
            } throws: { ($0 as? ActivationError)?.code == .timeout }
            #expect(Syscall.monotonicNanoseconds() - start < 5_000_000_000)
        }
    }

    @Test func send_whenNobodyIsThere_saysSo() async throws {
        try await withEnvironment(["NOTIFY_SOCKET": "/tmp/succession-nobody"]) {
            let manager = try #require(ServiceManager())
            await #expect {
                try await manager.send(.ready)
            } throws: { error in
                (error as? ActivationError)?.code == .notDelivered
                    && "\(error)".contains("NOTIFY_SOCKET=/tmp/succession-nobody: No such file")
            }
        }
    }

    /// A socket nobody reads takes so many messages, and then blocks who writes to it.
    @Test func post_toAManagerThatReadsNothing_neverBlocks() async throws {
        try await withManager { manager, fake in
            for number in 0..<5_000 { manager.post(ManagerNotice("X_NUMBER", "\(number)")) }
            manager.flush(within: .milliseconds(50))
            await #expect {
                try await manager.send(.ready, within: .milliseconds(100))
            } throws: { _ in true }
            // What is left must not be said to the next test's manager.
            while try !fake.isSilent(for: 200) { _ = try fake.receive() }
            manager.flush(within: .seconds(20))
        }
    }

    @Test(
        arguments: [
            [:], ["WATCHDOG_USEC": "1000000"], ["WATCHDOG_USEC": "1000000", "WATCHDOG_PID": own],
            ["WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"], ["WATCHDOG_PID": own],
            ["WATCHDOG_USEC": "0"], ["WATCHDOG_USEC": "x"],
        ])
    func watchdogInterval_isWhatTheLinkedLibrarySays(environment: [String: String]) async throws {
        try await withEnvironment(environment) {
            var time: UInt64 = 0
            let isOn = sd_watchdog_enabled(0, &time) > 0
            #expect(
                ServiceManager.watchdogInterval()
                    == (isOn ? .microseconds(Int64(time)) : nil))
        }
    }

    // MARK: Descriptors

    /// Descriptor 3, unless the build tool has left one open under that number.
    private static let third = try? Syscall.open("/dev/null", .readOnly)

    private func listenEnvironment(_ more: [String: String] = [:]) -> [String: String] {
        _ = Self.third
        return ["LISTEN_PID": Self.own, "LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"]
            .merging(more) { $1 }
    }

    @Test func listenDescriptors_whenMeantForThisProcess_canBeAskedForAgain() async throws {
        try await withEnvironment(listenEnvironment()) {
            let first = try ListenDescriptors.all()
            #expect(first.map(\.name) == ["web"])
            #expect(first.map(\.descriptor) == [3])
            let isCloseOnExec = try Syscall.isCloseOnExec(3)
            #expect(isCloseOnExec)
            let again = try ListenDescriptors.all()
            #expect(again == first)
            let same = try ListenDescriptors.first(named: "web", like: "other")
            #expect(same == first.first)
            let ofAnotherKind = try ListenDescriptors.first(named: "web", like: "tcp:*:80")
            #expect(ofAnotherKind == nil)
            let ofAnotherName = try ListenDescriptors.first(named: "else", like: "other")
            #expect(ofAnotherName == nil)
        }
    }

    @Test func listenDescriptors_whenMeantForAnother_areNone() async throws {
        try await withEnvironment(listenEnvironment(["LISTEN_PID": "1"])) {
            let none = try ListenDescriptors.all()
            #expect(none.isEmpty)
        }
    }

    /// As libsystemd has it since 262, whichever is installed.
    @Test func listenDescriptors_whenMeantForAnotherOfTheSameNumber_areNone() async throws {
        let own = try ProcessHandle.open(ProcessEnvironment.processID).identity
        try await withEnvironment(listenEnvironment(["LISTEN_PIDFDID": "\((own ?? 0) + 1)"])) {
            let isRefused = try ListenDescriptors.all().isEmpty
            #expect(isRefused == (own != nil))
        }
        try await withEnvironment(listenEnvironment(["LISTEN_PIDFDID": "\(own ?? 0)"])) {
            let mine = try ListenDescriptors.all()
            #expect(mine.count == 1)
        }
    }

    @Test func listenDescriptors_whenTheyAreNotOpen_areAnError() async throws {
        try await withEnvironment(listenEnvironment(["LISTEN_FDS": "900", "LISTEN_FDNAMES": ""])) {
            #expect {
                try ListenDescriptors.all()
            } throws: { ($0 as? ActivationError)?.code == .malformedEnvironment }
        }
    }
}
#endif
