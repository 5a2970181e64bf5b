// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// Whatever goes wrong before the successor serves: the predecessor serves on, says why, and the
/// next upgrade works.
@Suite(.serialized) struct FailedUpgradeTests {
    /// A service, upgraded wrongly and then rightly.
    private func expectFailure(
        _ command: [String], code: String, reason: String, swapctl options: [String] = [],
        before prepare: (TestService) throws -> Void = { _ in }
    ) throws -> SwapctlRun {
        let service = try TestService()
        try prepare(service)
        let listen = ["--listen", "echo=tcp:127.0.0.1:0"]
        let old = try service.startFixture(listen)
        let port = try service.port("echo")
        let kept = try EchoClient(port: port)
        #expect(try kept.greet() == old.processID)
        let before = try DescriptorAudit(old.processID, withoutConnections: true)

        let placed = command.map {
            $0.replacingOccurrences(of: "@@", with: service.name)
                .replacingOccurrences(of: "@/", with: service.directory + "/")
        }
        let run = try service.swapctl(
            ["upgrade", service.name, "--json"] + options + ["--"] + placed)
        #expect(run.status == .exited(1), "\(run)")
        #expect(run.code == code, "\(run)")
        #expect(reason.isEmpty || run.reason.contains(reason), "\(run)")
        #expect(run.pid == old.processID)

        #expect(try kept.exchange("still served") == "still served")
        #expect(try EchoClient(port: port).greet() == old.processID)
        #expect(DescriptorAudit.zombies(of: old.processID) == [])
        #expect(service.files() == ["1.sock", "lock", "serving"])
        #expect(
            try DescriptorAudit.settles(old.processID, to: before), "held before: \(before.kinds)")

        let good = try service.upgradeFixture(listen, swapctl: ["--drain", "100ms"])
        #expect(good.generation == 2, "\(good)")
        #expect(try EchoClient(port: port).greet() == good.pid)
        return run
    }

    private let fixture = [Binaries.fixture, "serve", "--service"]

    /// What keeps a successor from beginning is the operator's to know, not only its log's.
    @Test func runtimeDirectory_thatAnybodyMayWriteTo_isNamed() throws {
        let service = try TestService()
        let listen = ["--listen", "echo=tcp:127.0.0.1:0"]
        let old = try service.startFixture(listen)
        #expect(chmod(service.runtime, 0o777) == 0)
        let run = try service.upgradeFixture(listen)
        #expect(run.status == .exited(1), "\(run)")
        #expect(run.reason.contains("nobody else may write to it"), "\(run)")
        #expect(run.reason.contains("belongs to uid \(getuid()) and has mode 0777"), "\(run)")
        #expect(run.pid == old.processID)
        #expect(chmod(service.runtime, 0o700) == 0)
        #expect(try service.upgradeFixture(listen).generation == 2)
    }

    @Test func newBinary_missing_isNamed() throws {
        _ = try expectFailure(["@/nowhere"], code: "start", reason: "/nowhere")
    }

    @Test func newBinary_notExecutable_isNamed() throws {
        _ = try expectFailure(["@/plain"], code: "start", reason: "not executable") { service in
            _ = FileManager.default.createFile(
                atPath: service.directory + "/plain", contents: Data("text".utf8),
                attributes: [.posixPermissions: 0o644])
        }
    }

    @Test func newBinary_ofAnotherArchitecture_isNamed() throws {
        _ = try expectFailure(["@/foreign"], code: "start", reason: "no program for this machine") {
            service in
            var elf = Data(
                try #require(FileManager.default.contents(atPath: "/bin/true")).prefix(4_096))
            elf[18] = 0xB7  // EM_AARCH64
            elf[19] = 0
            _ = FileManager.default.createFile(
                atPath: service.directory + "/foreign", contents: elf,
                attributes: [.posixPermissions: 0o755])
        }
    }

    @Test func newBinary_exitsAtOnce_statusAndLastLinesAreShown() throws {
        let run = try expectFailure(
            fixture + ["x", "--fault", "exit-at-once"], code: "exited", reason: "")
        #expect(run.result["exit"] as? Int == 1)
        #expect((run.result["stderr"] as? [String])?.last == "fixture: told to exit at once")
    }

    @Test func newBinary_crashesAfterTakingTheDescriptors_signalIsShown() throws {
        let run = try expectFailure(
            sameService("--fault", "kill:send taken"), code: "exited", reason: "")
        #expect(run.result["signal"] as? Int == 9)
    }

    /// tableflip waits 60 s and kills; nginx, gunicorn and HAProxy ignore the next upgrade for
    /// ever.
    @Test func newBinary_hangsBeforeReady_isKilledAfterTheTimeout() throws {
        _ = try expectFailure(
            sameService("--fault", "never-ready"), code: "timeout", reason: "ready",
            swapctl: ["--timeout", "1s"])
    }

    @Test func newBinary_isStopped_isKilledAfterTheTimeout() throws {
        _ = try expectFailure(
            sameService("--fault", "hang:send ready"), code: "timeout", reason: "ready",
            swapctl: ["--timeout", "1s"])
    }

    @Test func newBinary_neverSpeaks_isKilledAfterTheTimeout() throws {
        _ = try expectFailure(
            ["/bin/sleep", "1000"], code: "timeout", reason: "hello",
            swapctl: ["--timeout", "500ms"])
    }

    @Test(arguments: [
        ("newer-major", "version"), ("garbage", "malformed"), ("wrong-ack", "acknowledgement"),
        ("ready-too-early", "unexpected"), ("unknown-kind", "exited"),
    ])
    func successor_speaksWrongly_isToldSo(fault: String, code: String) throws {
        _ = try expectFailure([Binaries.fixture, "peer", fault], code: code, reason: "")
    }

    @Test func successor_sendsDescriptors_areClosed() throws {
        _ = try expectFailure(
            [Binaries.fixture, "peer", "descriptors"], code: "timeout", reason: "not taken",
            swapctl: ["--timeout", "500ms"])
    }

    @Test func successor_refusesTheState_reasonIsShown() throws {
        _ = try expectFailure(
            sameService("--fault", "refuse"), code: "state", reason: "this state is not for me")
    }

    @Test func successor_whoseScopedServerThrows_reasonIsShown() throws {
        _ = try expectFailure(
            sameService("--scoped", "yes", "--take", "nothing"), code: "state",
            reason: "nobody passed 'nothing'")
    }

    @Test func successor_ofAnotherService_isRefused() throws {
        _ = try expectFailure(
            fixture + ["another"], code: "application", reason: "was started to succeed")
    }

    /// pg_doorman#264: a table of descriptors that is full must fail, not lose some.
    @Test func successor_withoutDescriptorsLeft_isToldSo() throws {
        let service = try TestService()
        let old = try service.startFixture(["--many", "200=tcp"])
        let run = try service.upgradeFixture(["--many", "200=tcp", "--open-files", "100"])
        #expect(run.status == .exited(1), "\(run)")
        #expect(run.code == "descriptor", "\(run)")
        #expect(run.reason.contains("RLIMIT_NOFILE"), "\(run)")
        let good = try service.upgradeFixture(["--many", "200=tcp"])
        #expect(good.status == .exited(0), "\(good)")
        try old.waitForExit()
    }

    @Test(arguments: [
        "send hello", "received offer", "send taken", "send ready", "received committed",
        "starting to accept",
    ])
    func successor_killedAtAStep_predecessorServesOn(step: String) throws {
        let run = try expectFailure(
            sameService("--fault", "kill:\(step)"), code: "exited", reason: "")
        #expect(run.result["signal"] as? Int == 9, "\(run)")
    }

    /// The successor is ended by SIGTERM, which means "drain" to it: it must not take along a path
    /// that is not its own.
    @Test func successor_endedBeforeItAccepted_leavesTheUnixPath() throws {
        let service = try TestService()
        let path = service.directory + "/echo.sock"
        let listen = ["--listen", "echo=unix:\(path)"]
        let old = try service.startFixture(listen)
        let run = try service.upgradeFixture(
            listen + ["--fault", "never-ready"], swapctl: ["--timeout", "500ms"])
        #expect(run.status == .exited(1), "\(run)")
        #expect(FileManager.default.fileExists(atPath: path))
        #expect(try service.upgradeFixture(listen).status == .exited(0))
        #expect(try old.waitForExit() == .exited(0))
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test func successor_thatFails_takesThePathsItBoundAlong() throws {
        let service = try TestService()
        let old = try service.startFixture(["--listen", "echo=unix:\(service.directory)/a.sock"])
        let run = try service.upgradeFixture(
            ["--listen", "echo=unix:\(service.directory)/b.sock", "--fault", "never-ready"],
            swapctl: ["--timeout", "500ms"])
        #expect(run.status == .exited(1), "\(run)")
        #expect(FileManager.default.fileExists(atPath: service.directory + "/a.sock"))
        #expect(!FileManager.default.fileExists(atPath: service.directory + "/b.sock"))
        #expect(old.handle.isAlive())
    }

    @Test func successor_toldToLeaveBeforeItAccepts_predecessorServesOn() throws {
        let service = try TestService()
        let fifo = try Fifo(in: service.directory)
        let listen = ["--listen", "echo=tcp:127.0.0.1:0"]
        let old = try service.startFixture(
            listen + ["--fault", "hold:received ready:\(fifo.path)"])
        let port = try service.port("echo")
        let swapctl = try service.startSwapctl(
            [
                "upgrade", service.name, "--json", "--", Binaries.fixture, "serve", "--service",
                service.name,
            ]
                + listen)
        try fifo.waitUntilReached()
        let successor = try #require(
            DescriptorAudit.processes(mentioning: service.name).first {
                $0 != old.processID && $0 != swapctl.processID
            })
        try ProcessHandle.open(successor).signal(Signals.terminate)
        // Said on the standard error both generations have: only now it is certain that it comes
        // first.
        _ = try old.errorLine("\(service.name)[2] signal 15")
        fifo.release()
        #expect(try swapctl.waitForExit() == .exited(1), "\(swapctl.standardOutput)")
        #expect(swapctl.standardOutput.contains("told to leave before it accepted"))
        #expect(try EchoClient(port: port).greet() == old.processID)
    }

    /// A full or read-only disk keeps the `serving` link from being replaced; that must not keep
    /// anybody from accepting.
    @Test func predecessor_whenItsRegistryCannotBeWritten_servesOn() throws {
        let service = try TestService()
        let old = try service.startFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        let port = try service.port("echo")
        let link = service.runtime + "/serving"
        try FileManager.default.removeItem(atPath: link)
        try FileManager.default.createDirectory(atPath: link, withIntermediateDirectories: false)
        for _ in 1...2 {
            try old.handle.signal(Signals.user2)
            _ = try old.errorLine("\(service.name)[1] error: upgrade failed")
            #expect(try EchoClient(port: port).greet() == old.processID)
        }
        try FileManager.default.removeItem(atPath: link)
        try old.handle.signal(Signals.user2)
        _ = try old.line("ready 2 ")
        #expect(try old.waitForExit() == .exited(0))
    }

    /// One listener of two cannot go on: the other one does, and an upgrade mends both.
    @Test func predecessor_whenOneAcceptorCannotResume_servesTheOthers() throws {
        let service = try TestService()
        let listen = ["--listen", "a=tcp:127.0.0.1:0", "--listen", "b=tcp:127.0.0.1:0"]
        let old = try service.startFixture(listen + ["--fault", "resume-fails"])
        let port = try service.port("b")
        let failed = try service.upgradeFixture(listen + ["--fault", "kill:received committed"])
        #expect(failed.status == .exited(1), "\(failed)")
        _ = try old.errorLine("\(service.name)[1] error: cannot accept again")
        #expect(try EchoClient(port: port).greet() == old.processID)
        let good = try service.upgradeFixture(listen)
        #expect(good.status == .exited(0), "\(good)")
    }

    /// envoy#550: restarts 250 ms apart crash both.
    @Test func upgrades_fiveAtOnce_oneRunsAndFourAreToldSo() throws {
        let service = try TestService()
        let listen = ["--listen", "echo=tcp:127.0.0.1:0"]
        let old = try service.startFixture(listen)
        // Holds the first until the others have been told.
        let fifo = try Fifo(in: service.directory)
        let first = try service.startSwapctl(
            [
                "upgrade", service.name, "--json", "--", Binaries.fixture, "serve", "--service",
                service.name,
            ] + listen + ["--fault", "hold:send ready:\(fifo.path)"])
        try fifo.waitUntilReached()
        let others = try (0..<4).map { _ in
            try service.startSwapctl(["upgrade", service.name, "--json"])
        }
        for other in others {
            #expect(try other.waitForExit() == .exited(75))
            #expect(other.standardOutput.contains("was asked for by pid \(first.processID)"))
        }
        fifo.release()
        #expect(try first.waitForExit() == .exited(0))
        #expect(try old.waitForExit() == .exited(0))
    }

    /// An application that takes its time over its state: the upgrade runs, and everybody can see
    /// whose it is.
    @Test func upgrade_whileTheStateIsWritten_isToldOfAndCanBeCalledOff() throws {
        let service = try TestService()
        let fifo = try Fifo(in: service.directory)
        let old = try service.startFixture([
            "--listen", "echo=tcp:127.0.0.1:0", "--state-size", "10", "--fault",
            "hold:writing state:\(fifo.path)",
        ])
        let first = try service.startSwapctl(["upgrade", service.name, "--json"])
        try fifo.waitUntilReached()
        let upgrade = try #require(try service.servingStatus()["upgrade"] as? [String: Any])
        #expect(upgrade["successor"] as? Int == 0)
        #expect(upgrade["requested_by"] as? Int == Int(first.processID))
        let other = try service.swapctl(["upgrade", service.name, "--json"])
        #expect(other.status == .exited(75), "\(other)")
        #expect(
            other.reason.contains("(not started yet) was asked for by pid \(first.processID)"),
            "\(other)")

        try old.handle.signal(Signals.terminate)
        #expect(try first.waitForExit() == .exited(1))
        let run = SwapctlRun(
            status: .exited(1), standardOutput: first.standardOutput, standardError: "")
        #expect(run.code == "operator", "\(run)")
        fifo.release()
        #expect(try old.waitForExit() == .exited(0))
    }

    private func sameService(_ options: String...) -> [String] {
        // '@@' stands for the service's own name, which is not known yet.
        [Binaries.fixture, "serve", "--service", "@@", "--listen", "echo=tcp:127.0.0.1:0"] + options
    }
}
