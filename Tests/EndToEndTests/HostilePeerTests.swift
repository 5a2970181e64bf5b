// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// What a peer says, sets and is, held against those who listen to it.
@Suite(.serialized) struct HostilePeerTests {
    // MARK: - Numbers and text

    @Test(arguments: [
        "BEGAN_NS=9223372036854775807", "BEGAN_NS=-9223372036854775808",
        "STATE_US=9223372036854775807",
        "LISTENERS=-9223372036854775808", "REMAINING_MS=-1", "REMAINING_MS=9223372036854775807",
        "UPGRADE=1\nUPGRADE_US=9223372036854775807", "STORED=+1", "CONNECTIONS=-0",
        "UPTIME_US=1" + String(repeating: "0", count: 40),
    ])
    func swapctl_whateverNumbersAStatusHas_survives(_ lines: String) throws {
        let service = try TestService()
        _ = try FakeGeneration(service, answers: [FakeGeneration.status(service, lines + "\n")])
        for verb in [["status", service.name], ["status", service.name, "--json"]] {
            let run = try service.swapctl(verb)
            #expect(run.status == .exited(0), "\(run)")
        }
    }

    @Test func escapes_inWhatAServerSays_doNotReachTheTerminal() throws {
        let escape = "%1B]0;owned%07%1B[2J\u{9B}31m"
        let service = try TestService()
        let status = FakeGeneration.status(service, "EXECUTABLE=/\(escape)\n")
        let refusal = "SUCCESSION/1 refused\nCODE=application\nREASON=no\(escape)%0Aforged line\n"
        let result =
            "SUCCESSION/1 result\nRESULT=unchanged\nCODE=exited\(escape)\nREASON=\(escape)\n"
            + "GENERATION=1\nPID=4\nSTDERR=\(escape)\n"
        _ = try FakeGeneration(
            service, answers: [status, refusal, status, result, status, refusal, status, status])
        for verb in ["upgrade", "upgrade", "reload", "status"] {
            let run = try service.swapctl([verb, service.name])
            let text = run.standardOutput + run.standardError
            #expect(!text.contains("\u{1B}") && !text.contains("\u{7}"), "\(run)")
            #expect(!text.contains("\u{9B}") && !text.contains("\nforged"), "\(run)")
        }
    }

    @Test func json_ofWhatAServerSays_hasNoControlCharacters() throws {
        let service = try TestService()
        let lines = "EXECUTABLE=/%1B[2J\u{9B}31m%7F\n"
        _ = try FakeGeneration(service, answers: [FakeGeneration.status(service, lines)])
        let run = try service.swapctl(["status", service.name, "--json"])
        #expect(run.objects.first?["executable"] as? String == "/\u{1B}[2J\u{9B}31m\u{7F}")
        let controls = run.standardOutput.unicodeScalars.filter {
            $0.value < 0x20 && $0 != "\n" || (0x7F...0x9F).contains($0.value)
        }
        #expect(controls.isEmpty)
    }

    /// The predecessor reads the size of that file when the successor has failed.
    @Test func successor_thatSetsATimeOnItsStandardError_doesNotEndThePredecessor() throws {
        let service = try TestService()
        let old = try service.startFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        for moment in ["13569465600", "9223372036854775807", "-9223372036854775808"] {
            let script = """
                import ctypes, sys
                class Time(ctypes.Structure):
                    _fields_ = [("seconds", ctypes.c_int64), ("nanoseconds", ctypes.c_long)]
                times = (Time * 2)(Time(\(moment), 5), Time(\(moment), 5))
                assert ctypes.CDLL(None).futimens(2, times) == 0
                sys.stderr.write("too late for me\\n")
                sys.exit(3)
                """
            let run = try service.swapctl(
                ["upgrade", service.name, "--json", "--", "/usr/bin/env", "python3", "-c", script])
            #expect(run.status == .exited(1), "\(run)")
            #expect(run.result["exit"] as? Int == 3, "\(run)")
            #expect(run.result["stderr"] as? [String] == ["too late for me"])
            #expect(run.pid == old.processID)
        }
        #expect(old.handle.isAlive())
    }

    // MARK: - Who is asked

    @Test func order_isNotSentThroughALinkToAnotherService() throws {
        let mine = try TestService()
        let other = try TestService()
        let victim = try other.startFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        try FileManager.default.createDirectory(
            atPath: mine.runtime, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        try Syscall.symbolicLink(to: other.runtime + "/1.sock", at: mine.runtime + "/1.sock")
        try Syscall.symbolicLink(to: "1.sock", at: mine.runtime + "/serving")
        for verb in [
            ["stop", mine.name], ["drain", mine.name], ["drain", mine.name, "--generation", "1"],
            ["upgrade", mine.name], ["reload", mine.name], ["abort", mine.name],
        ] {
            let run = try mine.swapctl(verb + ["--json"])
            #expect(run.status != .exited(0), "\(verb) \(run)")
        }
        #expect(victim.handle.isAlive())
        #expect(try other.servingStatus()["state"] as? String == "serving")
        let status = try mine.swapctl(["status", mine.name])
        #expect(status.standardOutput.contains("is not a socket"), "\(status)")
    }

    /// `serving` itself leads out of the directory.
    @Test func serving_thatLeadsElsewhere_isNotFollowed() throws {
        let mine = try TestService()
        let other = try TestService()
        let victim = try other.startFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        try FileManager.default.createDirectory(
            atPath: mine.runtime, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        try Syscall.symbolicLink(to: other.runtime + "/1.sock", at: mine.runtime + "/serving")
        let run = try mine.swapctl(["drain", mine.name, "--json"])
        #expect(run.status != .exited(0), "\(run)")
        #expect(victim.handle.isAlive())
    }

    /// The status comes from one process and the order goes to the same, though the name is turned
    /// to another service's socket in between.
    @Test func order_goesToTheSocketThatAnswered_whenItsNameIsTurned() throws {
        let mine = try TestService()
        let other = try TestService()
        let victim = try other.startFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        let fake = try FakeGeneration(
            mine,
            answers: [
                "turn \(other.runtime)/1.sock\n" + FakeGeneration.status(mine),
                "SUCCESSION/1 refused\nCODE=application\nREASON=not today\n",
            ])
        let reload = try mine.swapctl(["reload", mine.name, "--json"])
        #expect(reload.status == .exited(1), "\(reload)")
        #expect(reload.reason.contains("not today"), "\(reload)")
        _ = try fake.process.line("asked SUCCESSION/1 reload")
        #expect(victim.handle.isAlive())
        #expect(try other.servingStatus()["state"] as? String == "serving")
    }

    @Test(.enabled(if: getuid() == 0, "needs root to become another user"))
    func listener_ofAnotherUserThanTheDirectorys_isAskedNothing() throws {
        let service = try TestService()
        let fake = try FakeGeneration(
            service, user: 65_534, answers: [FakeGeneration.status(service)])
        for verb in ["status", "drain", "stop", "upgrade"] {
            let run = try service.swapctl([verb, service.name, "--json"])
            #expect(run.status == .exited(77), "\(verb) \(run)")
            #expect(run.reason.contains("nothing was sent"), "\(run)")
        }
        try fake.process.handle.signal(Signals.kill)
        try fake.process.waitForExit()
        #expect(!fake.process.standardOutput.contains("asked"))
    }

    // MARK: - Who answers

    @Test func server_thatDiesBeforeItAnswers_isNoServiceAndNoViolation() throws {
        let service = try TestService()
        _ = try FakeGeneration(service, answers: ["exit"])
        let run = try service.swapctl(["upgrade", service.name, "--json"])
        #expect(run.status == .exited(69), "\(run)")
    }

    @Test func server_thatClosesWithoutAWordAndLives_breaksTheProtocol() throws {
        let service = try TestService()
        _ = try FakeGeneration(service, answers: [""])
        let run = try service.swapctl(["drain", service.name, "--json"])
        #expect(run.status == .exited(76), "\(run)")
    }
}
