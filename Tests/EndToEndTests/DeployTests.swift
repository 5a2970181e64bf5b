// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import SystemPackage
import Testing

/// `swapctl deploy`: a release is named and serves, or neither.
@Suite(.serialized) struct DeployTests {
    private func started() throws -> (WatchedSite, ChildProcess) {
        let site = try WatchedSite()
        for version in ["1.0", "2.0", "3.0"] { try site.makeRelease(version) }
        try site.makeBrokenRelease("4.0")
        try site.name("1.0")
        return (site, try site.startServer("1.0"))
    }

    private func swapctl(_ site: WatchedSite, _ arguments: [String]) throws -> SwapctlRun {
        try site.service.swapctl(arguments + ["--current", site.current, "--json"])
    }

    private func deploy(_ site: WatchedSite, _ arguments: [String]) throws -> SwapctlRun {
        try swapctl(site, ["deploy", site.service.name] + arguments)
    }

    private func expectNothingChanged(_ site: WatchedSite, _ server: ChildProcess) throws {
        #expect(
            try String(contentsOfFile: site.current, encoding: .utf8) == site.currentText("1.0"))
        #expect(try site.link("app.bin") == site.release("app.1.0"))
        #expect(try site.link("app.cfg") == site.release("cfg.1.0"))
        #expect(try site.service.servingStatus()["pid"] as? Int == Int(server.processID))
        #expect(site.leftovers() == [])
    }

    @Test func release_thatIsGood_servesAndIsNamedAndRecorded() throws {
        let (site, server) = try started()
        let run = try deploy(site, ["2.0"])
        #expect(run.status == .exited(0), "\(run)")
        #expect(run.result["result"] as? String == "committed", "\(run)")
        #expect(run.result["departure"] as? String == "left", "\(run)")
        #expect(run.result["why"] as? String == "swapctl deploy")
        #expect(run.objects.contains { $0["event"] as? String == "step" })
        // It has waited for the predecessor.
        #expect(!server.handle.isAlive())
        try site.expectAgreement("2.0", generation: 2)
        #expect(try deploy(site, ["app.3.0", "cfg.3.0"]).status == .exited(0))
        try site.expectAgreement("3.0", generation: 3)
        #expect(try swapctl(site, ["rollback", site.service.name]).status == .exited(0))
        try site.expectAgreement("2.0", generation: 4)
    }

    @Test func rollback_afterTheFirstDeployment_returnsToWhatServedBefore() throws {
        let (site, _) = try started()
        #expect(try deploy(site, ["2.0"]).status == .exited(0))
        #expect(try swapctl(site, ["rollback", site.service.name]).status == .exited(0))
        try site.expectAgreement("1.0", generation: 3)
    }

    /// Both with and without a record of what served before.
    @Test(arguments: [false, true], ["app.4.0 cfg.4.0", "4.0", "app.4.0"])
    func release_thatIsBroken_isTakenBackWithTheStatusOfTheUpgrade(
        isRecorded: Bool, words: String
    ) throws {
        let (site, server) = try started()
        if isRecorded { _ = try site.startWatch().stop() }
        let run = try deploy(site, words.split(separator: " ").map(String.init))
        #expect(run.status == .exited(1), "\(run)")
        #expect(run.result["result"] as? String == "unchanged", "\(run)")
        #expect(run.reason.contains("status 3") && run.reason.contains("tea leaves"), "\(run)")
        try expectNothingChanged(site, server)
        #expect(try site.history().last?["result"] as? String == "unchanged")
        // The next start is one of what serves.
        #expect(try deploy(site, ["2.0"]).status == .exited(0))
        try site.expectAgreement("2.0", generation: 2)
    }

    @Test(arguments: [
        ["--check", "exit 4", "2.0"], ["2.1"], ["bin=nothing"], ["bin=cfg.2.0"], ["bad name"],
    ])
    func release_thatIsRefused_changesNothing(arguments: [String]) throws {
        let (site, server) = try started()
        let run = try deploy(site, arguments)
        #expect(run.status == .exited(78) || run.status == .exited(64), "\(run)")
        try expectNothingChanged(site, server)
    }

    @Test func connections_thatAreCut_areItsStatus() throws {
        let (site, server) = try started()
        let client = try EchoClient(port: site.service.port("echo"))
        #expect(try client.greet() == server.processID)
        let run = try deploy(site, ["2.0", "--drain", "100ms"])
        #expect(run.status == .exited(2), "\(run)")
        #expect(run.result["result"] as? String == "committed", "\(run)")
        #expect(run.result["cut"] as? Int == 1, "\(run)")
        #expect(run.result["exit_code"] as? Int == 2, "\(run)")
        try site.expectAgreement("2.0", generation: 2)
    }

    @Test func detached_returnsWhileThePredecessorDrains() throws {
        let (site, server) = try started()
        let client = try EchoClient(port: site.service.port("echo"))
        #expect(try client.greet() == server.processID)
        let run = try deploy(site, ["2.0", "--detach", "--env", "FOO=bar"])
        #expect(run.status == .exited(0), "\(run)")
        #expect(server.handle.isAlive())
        #expect(try client.exchange("still here") == "still here")
        let pid = try #require(run.pid)
        let environment = try Syscall.readFile("/proc/\(pid)/environ")
        #expect(String(decoding: environment, as: UTF8.self).contains("FOO=bar\0"))
        try site.expectAgreement("2.0", generation: 2)
    }

    @Test func server_thatDoesNotRun_isNoUpgradeButCanBeStarted() throws {
        let site = try WatchedSite()
        for version in ["1.0", "2.0"] { try site.makeRelease(version) }
        try site.name("1.0")
        let run = try deploy(site, ["2.0"])
        #expect(run.status == .exited(69), "\(run)")
        #expect(run.reason.contains("after --") && run.reason.contains("release use"), "\(run)")
        #expect(
            try String(contentsOfFile: site.current, encoding: .utf8) == site.currentText("1.0"))
        #expect(throws: Errno.noSuchFileOrDirectory) { try site.link("app.bin") }
        let start = try site.service.swapctl(
            [
                "deploy", site.service.name, "2.0", "--current", site.current, "--json", "--",
                site.directory + "/app.bin",
            ] + site.options)
        #expect(start.status == .exited(0), "\(start)")
        try site.expectAgreement("2.0", generation: 1)
    }

    @Test func watch_whenSomebodyDeploys_hasNothingToDo() throws {
        let (site, _) = try started()
        let watch = try site.startWatch()
        #expect(try deploy(site, ["2.0"]).status == .exited(0))
        #expect(try deploy(site, ["4.0"]).status == .exited(1))
        let told = try watch.stop()
        #expect(told.allSatisfy { $0["event"] as? String == "note" }, "\(told)")
        try site.expectAgreement("2.0", generation: 2)
    }

    // MARK: - release use --wait

    @Test func use_withWait_isADeployment() throws {
        let (site, _) = try started()
        let unknown = try swapctl(site, ["release", "use", "2.0", "--wait"])
        #expect(unknown.status == .exited(64), "\(unknown)")
        #expect(unknown.reason.contains("--service"), "\(unknown)")
        let first = try swapctl(
            site, ["release", "use", "2.0", "--wait", "--service", site.service.name])
        #expect(first.status == .exited(0), "\(first)")
        try site.expectAgreement("2.0", generation: 2)
        #expect(try swapctl(site, ["release", "use", "4.0", "--wait"]).status == .exited(1))
        try site.expectAgreement("2.0", generation: 2)
        #expect(try swapctl(site, ["release", "use", "3.0", "--wait"]).status == .exited(0))
        try site.expectAgreement("3.0", generation: 3)
    }

    // MARK: - After an upgrade that failed

    /// `release use` without a watch, then an upgrade: nobody takes back what failed.
    @Test(arguments: [false, true])
    func rollback_afterAFailedUpgrade_namesWhatServes(isConfigured: Bool) throws {
        let (site, server) = try started()
        _ = try site.startWatch().stop()
        let second = try deploy(site, ["2.0"])
        #expect(second.status == .exited(0), "\(second)")
        let pid = second.pid
        let words = isConfigured ? ["4.0"] : ["app.4.0"]
        #expect(try swapctl(site, ["release", "use"] + words).status == .exited(0))
        let upgrade = try site.service.swapctl(["upgrade", site.service.name, "--json"])
        #expect(upgrade.status == .exited(1), "\(upgrade)")
        #expect(try site.link("app.bin") == site.release("app.4.0"))
        let plain = try site.service.swapctl(["upgrade", site.service.name])
        #expect(
            plain.standardError.contains(
                "`swapctl rollback \(site.service.name)` names what serves again"),
            "\(plain)")
        let back = try swapctl(site, ["rollback", site.service.name])
        #expect(back.status == .exited(0), "\(back)")
        #expect(back.pid == pid, "\(back)")
        try site.expectAgreement("2.0", generation: 2)
        // What is named serves: now it goes back.
        #expect(try swapctl(site, ["rollback", site.service.name]).status == .exited(0))
        try site.expectAgreement("1.0", generation: 3)
        try server.waitForExit()
    }

    /// Nothing was ever switched here: what serves is known from its process.
    @Test func rollback_whenNothingIsRecorded_namesWhatServes() throws {
        let site = try WatchedSite()
        try site.makeRelease("1.0")
        try site.makeBrokenRelease("4.0")
        try Syscall.symbolicLink(to: site.release("app.1.0"), at: site.directory + "/app.bin")
        try site.write(site.current, "{\"bin.file\": \"\(site.release("app.1.0"))\"}")
        let server = try ChildProcess(
            site.directory + "/app.bin", site.options, environment: site.service.environment)
        try site.service.waitUntilServing()
        #expect(try swapctl(site, ["release", "use", "app.4.0"]).status == .exited(0))
        let plain = try site.service.swapctl(["upgrade", site.service.name])
        #expect(plain.status == .exited(1), "\(plain)")
        #expect(plain.standardError.contains("swapctl rollback"), "\(plain)")
        let back = try swapctl(site, ["rollback", site.service.name])
        #expect(back.status == .exited(0), "\(back)")
        #expect(back.pid == server.processID, "\(back)")
        #expect(try site.link("app.bin") == site.release("app.1.0"))
        #expect(
            try String(contentsOfFile: site.current, encoding: .utf8)
                .contains(site.release("app.1.0")))
    }

    @Test func rollback_whenTheServerHasDiedSince_startsWhatServedLast() throws {
        let (site, server) = try started()
        _ = try site.startWatch().stop()
        #expect(try swapctl(site, ["release", "use", "4.0"]).status == .exited(0))
        try server.handle.signal(Signals.kill)
        try server.waitForExit()
        let back = try site.service.swapctl(
            [
                "rollback", site.service.name, "--current", site.current, "--json", "--",
                site.directory + "/app.bin",
            ] + site.options)
        #expect(back.status == .exited(0), "\(back)")
        try site.expectAgreement("1.0", generation: 1)
    }
}
