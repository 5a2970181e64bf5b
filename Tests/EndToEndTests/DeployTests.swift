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

    /// More than a pipe holds, by a program that does not expect EAGAIN.
    @Test func check_thatPrintsMuch_isNotDisturbed() throws {
        let (site, _) = try started()
        let check = "head -c 3000000 /dev/zero"
        let run = try deploy(site, ["--check", check, "2.0"])
        #expect(run.status == .exited(0), "\(run)")
        try site.expectAgreement("2.0", generation: 2)
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

    /// The check lies between the look at the server and the request to it.
    @Test(arguments: ["deploy", "rollback"])
    func server_thatDiesDuringTheCheck_isNoSuccess(verb: String) throws {
        let (site, server) = try started()
        var pid = server.processID
        if verb == "rollback" {
            #expect(try deploy(site, ["2.0"]).status == .exited(0))
            pid = Int32(try #require(try site.service.servingStatus()["pid"] as? Int))
        }
        let check =
            "kill -9 \(pid); while '\(Binaries.swapctl)' status \(site.service.name); do :; done"
        let run = try swapctl(
            site,
            [verb, site.service.name, "--check", check] + (verb == "deploy" ? ["2.0"] : []))
        #expect(run.status == .exited(69), "\(run)")
        #expect(run.result["result"] as? String == "unchanged", "\(run)")
        #expect(run.reason.contains("has ended during the switch"), "\(run)")
        let serving = verb == "deploy" ? "1.0" : "2.0"
        #expect(try site.link("app.bin") == site.release("app.\(serving)"))
        #expect(
            try String(contentsOfFile: site.current, encoding: .utf8).contains("app.\(serving)\""))
        #expect(site.leftovers() == [])
    }

    /// The server is then a child of the process that swapctl has started.
    @Test func server_startedByAWrapper_isTheStartedOne() throws {
        let site = try WatchedSite()
        for version in ["1.0", "2.0"] { try site.makeRelease(version) }
        try site.name("1.0")
        let start = try site.service.swapctl(
            [
                "deploy", site.service.name, "2.0", "--current", site.current, "--json", "--",
                Binaries.swapctl, "supervise", site.service.name, "--",
                site.directory + "/app.bin",
            ] + site.options)
        #expect(start.status == .exited(0), "\(start)")
        try site.expectAgreement("2.0", generation: 1)
        #expect(try site.service.swapctl(["stop", site.service.name]).status == .exited(0))
    }

    /// A wrapper that clears the environment.
    @Test func server_startedByAWrapperWithoutItsVariables_isTheStartedOne() throws {
        let site = try WatchedSite()
        for version in ["1.0", "2.0"] { try site.makeRelease(version) }
        try site.name("1.0")
        let wrapper = site.service.directory + "/wrapper"
        try site.write(
            wrapper, "#!/bin/sh\nunset SUCCESSION_SWITCH\n\"$@\" &\nwait\n", mode: 0o755)
        let start = try site.service.swapctl(
            [
                "deploy", site.service.name, "2.0", "--current", site.current, "--json", "--",
                wrapper, site.directory + "/app.bin",
            ] + site.options)
        #expect(start.status == .exited(0), "\(start)")
        #expect(try site.link("app.bin") == site.release("app.2.0"))
        #expect(try site.service.swapctl(["stop", site.service.name]).status == .exited(0))
    }

    // MARK: - A server that refuses

    /// A server whose status shows no upgrade, and that refuses each one as busy.
    private func busy(_ site: WatchedSite) throws -> FakeGeneration {
        for version in ["1.0", "2.0"] { try site.makeRelease(version) }
        try site.name("1.0")
        let answers = [
            "status": FakeGeneration.status(site.service),
            "upgrade": "SUCCESSION/1 refused\nCODE=busy\nREASON=it is busy\n",
        ]
        let data = try JSONSerialization.data(withJSONObject: answers)
        return try FakeGeneration(
            site.service, answers: [String(decoding: data, as: UTF8.self)])
    }

    @Test func server_thatIsBusyForGood_isAskedAFewTimesAndThenGivenUp() throws {
        let site = try WatchedSite()
        let server = try busy(site)
        let run = try deploy(site, ["2.0"])
        #expect(run.status == .exited(75), "\(run)")
        #expect(run.reason.contains("it is busy"), "\(run)")
        let waits = run.objects.filter { $0["step"] as? String == "wait" }
        #expect(waits.map { $0["status"] as? String } == ["running", "failed"], "\(run)")
        let asked = server.process.standardOutput.split(separator: "\n").filter {
            $0.hasSuffix(" upgrade")
        }
        #expect(asked.count < 30, "\(asked.count)")
        #expect(
            try String(contentsOfFile: site.current, encoding: .utf8) == site.currentText("1.0"))
        #expect(site.leftovers() == [])
    }

    @Test(arguments: ["deploy", "watch"])
    func wait_forABusyServer_endsOnASignal(verb: String) throws {
        let site = try WatchedSite()
        let server = try busy(site)
        if verb == "watch" { try site.name("2.0") }
        let process = try site.service.startSwapctl(
            [verb, site.service.name, "--current", site.current, "--json"]
                + (verb == "deploy" ? ["2.0"] : []))
        while try !process.line("{").contains("\"wait\"") {}
        try process.handle.signal(Signals.terminate)
        let status = try process.waitForExit(within: 5)
        #expect(status == .exited(verb == "deploy" ? 75 : 0), "\(process.standardOutput)")
        if verb == "deploy" {
            #expect(
                try String(contentsOfFile: site.current, encoding: .utf8)
                    == site.currentText("1.0"))
        }
        #expect(site.leftovers() == [])
        withExtendedLifetime(server) {}
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

    // MARK: - What was named before

    /// `release use` has named what does not serve, and the deployment fails too, or is refused.
    @Test(arguments: [["5.0"], ["4.0"], ["2.0", "--check", "exit 4"]])
    func deployment_thatFails_namesWhatServesAndNotWhatWasNamed(arguments: [String]) throws {
        let (site, server) = try started()
        try site.makeBrokenRelease("5.0")
        _ = try site.startWatch().stop()
        #expect(try swapctl(site, ["release", "use", "4.0"]).status == .exited(0))
        let run = try deploy(site, arguments)
        #expect(run.status == .exited(arguments.count == 1 ? 1 : 78), "\(run)")
        try expectNothingChanged(site, server)
    }

    /// The successor never becomes ready, and swapctl is killed while it waits.
    @Test(arguments: [false, true])
    func deployment_thatIsKilled_leavesNothingNamed(isRecorded: Bool) throws {
        let (site, server) = try started()
        if isRecorded { _ = try site.startWatch().stop() }
        try site.write(site.release("app.6.0"), "#!/bin/sh\nexec sleep 1000\n", mode: 0o755)
        let killed = try site.service.startSwapctl([
            "deploy", site.service.name, "app.6.0", "--current", site.current, "--json",
        ])
        while try !killed.line("{").contains("\"start\"") {}
        try killed.handle.signal(Signals.kill)
        try killed.waitForExit()
        #expect(
            try String(contentsOfFile: site.current, encoding: .utf8).contains("app.6.0"))
        #expect(try site.service.swapctl(["abort", site.service.name]).status == .exited(0))
        #expect(try deploy(site, ["4.0"]).status == .exited(1))
        try expectNothingChanged(site, server)
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
        let warning = upgrade.result["warning"] as? String ?? ""
        #expect(warning.contains("`swapctl rollback \(site.service.name)`"), "\(upgrade)")
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
