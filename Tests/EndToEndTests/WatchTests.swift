// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import SystemPackage
import Testing

/// `swapctl watch` with real servers: every way in which current.conf changes.
@Suite(.serialized) struct WatchTests {
    private func started() throws -> (WatchedSite, ChildProcess, WatchProcess) {
        let site = try WatchedSite()
        for version in ["1.0", "2.0", "3.0"] { try site.makeRelease(version) }
        try site.name("1.0")
        let server = try site.startServer("1.0")
        let watch = try site.startWatch()
        try site.expectAgreement("1.0", generation: 1)
        return (site, server, watch)
    }

    @Test func change_byRename_isUpgradedAndRecorded() throws {
        let (site, server, watch) = try started()
        try site.name("2.0")
        let result = try watch.result()
        #expect(result["result"] as? String == "committed", "\(result)")
        #expect((result["why"] as? String)?.hasPrefix("current.conf changed (owner ") == true)
        #expect((result["by"] as? [String: Any])?["uid"] as? Int == Int(getuid()))
        #expect((result["by"] as? [String: Any])?["pid"] as? Int == Int(watch.process.processID))
        #expect(
            (result["from"] as? [String: Any])?["bin"] as? String == site.release("app.1.0"))
        try server.waitForExit()
        try site.expectAgreement("2.0", generation: 2)
        #expect(try watch.stop().isEmpty)
        try site.expectAgreement("2.0", generation: 2)
    }

    /// A link that was turned since the server was started leads to what nobody serves.
    @Test(arguments: ["cfg.2.0", "app.2.0", "2.0"])
    func firstWatch_whenALinkWasTurnedSinceTheStart_upgrades(release: String) throws {
        let site = try WatchedSite()
        for version in ["1.0", "2.0"] { try site.makeRelease(version) }
        try site.name("1.0")
        let server = try site.startServer("1.0")
        let use = try site.service.swapctl(["release", "use", release, "--current", site.current])
        #expect(use.status == .exited(0), "\(use)")
        let watch = try site.startWatch()
        let result = watch.beginning.first { $0["event"] as? String == "result" }
        #expect(result?["result"] as? String == "committed", "\(watch.beginning)")
        try server.waitForExit()
        #expect(try site.service.servingStatus()["generation"] as? Int == 2)
        #expect(try site.history().map { $0["verb"] as? String } == ["upgrade"])
    }

    @Test func change_inPlace_isUpgraded() throws {
        let (site, _, watch) = try started()
        try Data(site.currentText("2.0").utf8).write(to: URL(filePath: site.current))
        #expect(try watch.result()["result"] as? String == "committed")
        try site.expectAgreement("2.0", generation: 2)
    }

    @Test func change_bySwappedLink_isUpgraded() throws {
        let (site, _, watch) = try started()
        for version in ["2.0", "3.0"] {
            try site.write(site.directory + "/\(version).conf", site.currentText(version))
            try Syscall.symbolicLink(to: "\(version).conf", at: site.directory + "/new")
            try Syscall.rename(site.directory + "/new", site.current)
            #expect(try watch.result()["result"] as? String == "committed")
            try site.expectAgreement(version)
        }
        // A refused change puts the link back, not a copy of the file.
        try site.write(site.directory + "/bad.conf", "{\"bin.file\": \"/nowhere\"}")
        try Syscall.symbolicLink(to: "bad.conf", at: site.directory + "/new")
        try Syscall.rename(site.directory + "/new", site.current)
        #expect(try watch.result()["result"] as? String == "refused")
        #expect(try Syscall.readLink(site.current) == "3.0.conf")
        try site.expectAgreement("3.0", generation: 3)
    }

    @Test func change_ofTheFileALinkLeadsTo_isUpgraded() throws {
        let site = try WatchedSite()
        for version in ["1.0", "2.0"] { try site.makeRelease(version) }
        let elsewhere = site.service.directory + "/elsewhere.conf"
        try site.write(elsewhere, site.currentText("1.0"))
        try Syscall.symbolicLink(to: elsewhere, at: site.current)
        let server = try site.startServer("1.0")
        let watch = try site.startWatch()
        try site.write(elsewhere, site.currentText("2.0"))
        #expect(try watch.result()["result"] as? String == "committed")
        try site.expectAgreement("2.0", generation: 2)
        try server.waitForExit()
    }

    @Test func touchAndPermissionsAndForm_areNoUpgrade() throws {
        let (site, server, watch) = try started()
        for _ in 0..<5 {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(), .posixPermissions: 0o640], ofItemAtPath: site.current)
        }
        let text = site.currentText("1.0").replacing("\"note\"", with: "\"more\": 1,\n\"note\"")
        try site.write(site.current, text)
        try site.name("2.0")
        #expect(try watch.result()["result"] as? String == "committed")
        try server.waitForExit()
        try site.expectAgreement("2.0", generation: 2)
        #expect(try site.history().count == 2)
    }

    @Test func formOfCurrent_whenTheNextChangeIsRefused_isKept() throws {
        let (site, _, watch) = try started()
        let text = site.currentText("1.0").replacing("\"note\"", with: "\"more\": 1,\n\"note\"")
        try site.write(site.current, text)
        // Whatever is looked at first: the form is known when the bad one comes.
        try site.name("2.0")
        _ = try watch.result()
        try site.write(site.current, text)
        _ = try watch.result()
        try site.write(site.current, "{\"bin.file\": \"/nowhere\"}")
        #expect(try watch.result()["result"] as? String == "refused")
        #expect(try String(contentsOfFile: site.current, encoding: .utf8) == text)
    }

    @Test func changes_fiveInARow_lastOneServes() throws {
        let (site, _, watch) = try started()
        for version in ["2.0", "1.0", "2.0", "1.0", "3.0"] { try site.name(version) }
        var last: String?
        while last != site.release("app.3.0") {
            last = (try watch.result()["to"] as? [String: Any])?["bin"] as? String
        }
        #expect(try watch.stop().isEmpty)
        try site.expectAgreement("3.0")
    }

    @Test func change_duringAnUpgrade_isMadeAfterIt() throws {
        let (site, _, watch) = try started()
        try site.name("2.0")
        // The upgrade has begun.
        _ = try watch.next(event: "step")
        try site.name("3.0")
        #expect(try watch.result()["result"] as? String == "committed")
        #expect(try watch.result()["result"] as? String == "committed")
        try site.expectAgreement("3.0", generation: 3)
    }

    @Test(arguments: ["", "{\"bin.file\": \"", "not json at all"])
    func halfAFile_changesNothingAndIsPutBack(text: String) throws {
        let (site, _, watch) = try started()
        try site.write(site.current, text)
        #expect(
            (try watch.next(event: "note")["message"] as? String)?.contains("current.conf:1:")
                == true)
        let result = try watch.result()
        #expect(result["result"] as? String == "refused", "\(result)")
        #expect(result["to"] is NSNull)
        try site.expectAgreement("1.0", generation: 1)
        let kept = site.directory + "/.succession/refused.conf"
        #expect(try String(contentsOfFile: kept, encoding: .utf8) == text)
    }

    @Test func halfAFile_whenCompletedInTime_isUpgraded() throws {
        let (site, _, watch) = try started()
        _ = try watch.stop()
        let patient = try site.startWatch(["--patience", "30s"])
        let text = site.currentText("2.0")
        try site.write(site.current, String(text.prefix(20)))
        _ = try patient.next(event: "note")
        let file = try FileHandle(forWritingTo: URL(filePath: site.current))
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.dropFirst(20).utf8))
        try file.close()
        #expect(try patient.result()["result"] as? String == "committed")
        try site.expectAgreement("2.0", generation: 2)
    }

    @Test func current_whenRemoved_isPutBack() throws {
        let (site, _, watch) = try started()
        try Syscall.unlink(site.current)
        #expect(try watch.result()["result"] as? String == "refused")
        try site.expectAgreement("1.0", generation: 1)
    }

    @Test func brokenRelease_isTakenBackAndSaysWhy() throws {
        let (site, server, watch) = try started()
        try site.makeBrokenRelease("4.0")
        try site.name("4.0")
        let result = try watch.result()
        #expect(result["result"] as? String == "unchanged", "\(result)")
        let reason = result["reason"] as? String ?? ""
        #expect(reason.contains("status 3") && reason.contains("tea leaves"), "\(reason)")
        try site.expectAgreement("1.0", generation: 1)
        #expect(try site.service.servingStatus()["pid"] as? Int == Int(server.processID))
        try site.name("2.0")
        #expect(try watch.result()["result"] as? String == "committed")
        try site.expectAgreement("2.0")
    }

    /// Nothing was switched here before: the links themselves say where they are to return.
    @Test func firstSwitch_whenItFails_linksLeadWhereTheyLed() throws {
        let site = try WatchedSite()
        try site.makeRelease("1.0")
        try site.makeBrokenRelease("4.0")
        let server = try site.startServer("1.0")
        try Syscall.unlink(site.directory + "/app.cfg")
        try site.name("4.0")
        let watch = try site.startWatch()
        let result = try #require(watch.beginning.first { $0["event"] as? String == "result" })
        #expect(result["result"] as? String == "unchanged", "\(result)")
        #expect(try site.link("app.bin") == site.release("app.1.0"))
        #expect(throws: Errno.noSuchFileOrDirectory) { try site.link("app.cfg") }
        #expect(try site.service.servingStatus()["pid"] as? Int == Int(server.processID))
        #expect(try watch.stop().isEmpty)
        #expect(site.leftovers() == [])
    }

    @Test func checkCommand_whenItFails_releaseIsNotTried() throws {
        let (site, server, watch) = try started()
        _ = try watch.stop()
        let checking = try site.startWatch([
            "--check",
            "echo looking at $BIN_FILE; case $BIN_FILE in *2.0) exit 4;; *3.0) exit 0;; esac",
        ])
        try site.name("2.0")
        let refused = try checking.result()
        #expect(refused["result"] as? String == "refused", "\(refused)")
        #expect(
            (refused["reason"] as? String)?.contains(
                "status 4: looking at \(site.release("app.2.0"))") == true, "\(refused)")
        try site.expectAgreement("1.0", generation: 1)
        #expect(try site.service.servingStatus()["pid"] as? Int == Int(server.processID))
        try site.name("3.0")
        #expect(try checking.result()["result"] as? String == "committed")
        try site.expectAgreement("3.0", generation: 2)
    }

    @Test func checkCommand_whenItHangs_isEndedWithAllItStarted() throws {
        let (site, _, watch) = try started()
        _ = try watch.stop()
        let mark = "\(UInt32.random(in: 100_000 ... .max))"
        let checking = try site.startWatch([
            "--check", "sleep \(mark) & sleep \(mark)", "--check-timeout", "300ms",
        ])
        try site.name("2.0")
        let refused = try checking.result()
        #expect((refused["reason"] as? String)?.contains("was not done after 1 s") == true)
        #expect(DescriptorAudit.processes(mentioning: "sleep\0\(mark)") == [])
        try site.expectAgreement("1.0", generation: 1)
    }

    @Test func server_whenItDoesNotRun_isStartedAndOutlivesTheWatch() throws {
        let site = try WatchedSite()
        try site.makeRelease("1.0")
        try site.makeRelease("2.0")
        try site.name("1.0")
        let watch = try site.startWatch(
            command: [site.directory + "/app.bin"] + site.options)
        #expect(watch.beginning.contains { $0["verb"] as? String == "start" })
        try site.expectAgreement("1.0", generation: 1)
        let pid = Int32(try #require(try site.service.servingStatus()["pid"] as? Int))
        // In a session of its own, without a descriptor of the watch.
        let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        #expect(stat.split(separator: ")").last?.split(separator: " ")[3] == "\(pid)")
        for number in 0...2 {
            let target = try Syscall.readLink("/proc/\(pid)/fd/\(number)")
            #expect(
                target == "/dev/null" || target.hasSuffix("/.succession/\(site.service.name).log"))
        }
        try watch.process.handle.signal(Signals.kill)
        try watch.process.waitForExit()
        try site.name("2.0")
        // How it is started is remembered; it runs, so it is upgraded.
        let second = try site.startWatch()
        try site.expectAgreement("2.0", generation: 2)
        #expect(try site.service.swapctl(["stop", site.service.name]).status == .exited(0))
        try site.name("1.0")
        let result = try second.result()
        #expect(result["verb"] as? String == "start", "\(result)")
        #expect(result["result"] as? String == "committed", "\(result)")
        try site.expectAgreement("1.0", generation: 1)
        #expect(DescriptorAudit.zombies(of: second.process.processID) == [])
    }

    /// As under a service manager: it has the server, and the watch has the links.
    @Test func server_whenItDoesNotRunAndIsSomebodyElses_linksAreTurned() throws {
        let (site, server, watch) = try started()
        #expect(try site.service.swapctl(["stop", site.service.name]).status == .exited(0))
        try server.waitForExit()
        try site.name("2.0")
        let result = try watch.result()
        #expect(result["result"] as? String == "committed", "\(result)")
        #expect(result["generation"] is NSNull)
        #expect(try site.link("app.bin") == site.release("app.2.0"))
        #expect(DescriptorAudit.processes(mentioning: site.release("app.")) == [])
        let second = try ChildProcess(
            site.directory + "/app.bin", site.options, environment: site.service.environment)
        try site.service.waitUntilServing()
        try site.name("3.0")
        #expect(try watch.result()["result"] as? String == "committed")
        try second.waitForExit()
        try site.expectAgreement("3.0", generation: 2)
    }

    @Test func start_ofABrokenRelease_saysWhyAndLeavesNothing() throws {
        let site = try WatchedSite()
        try site.makeBrokenRelease("1.0")
        try site.name("1.0")
        let watch = try site.startWatch(command: [site.directory + "/app.bin"] + site.options)
        let result = try #require(watch.beginning.first { $0["event"] as? String == "result" })
        #expect(result["result"] as? String == "unchanged", "\(result)")
        #expect((result["reason"] as? String)?.contains("tea leaves") == true, "\(result)")
        #expect(DescriptorAudit.zombies(of: watch.process.processID) == [])
        #expect(site.leftovers() == [])
    }

    /// It cannot be told what serves when the change is looked at, and nothing changes afterwards.
    @Test func change_whileTheServerIsSilent_isUpgradedWhenItAnswers() throws {
        let (site, server, watch) = try started()
        try server.stop()
        try site.name("2.0")
        let problem = try watch.next(event: "error")
        #expect((problem["message"] as? String)?.isEmpty == false, "\(problem)")
        try server.handle.signal(Signals.proceed)
        #expect(try watch.result()["result"] as? String == "committed")
        try site.expectAgreement("2.0", generation: 2)
    }

    /// It answered when the change was looked at, and no longer when it is to be upgraded.
    @Test func change_whenTheServerFallsSilentBeforeItIsAsked_isUpgradedWhenItAnswers() throws {
        let (site, server, watch) = try started()
        _ = try watch.stop()
        let pid = server.processID
        let checking = try site.startWatch([
            "--check",
            "mkdir '\(site.service.directory)/once' || exit 0; kill -STOP \(pid); "
                + "until grep -q '^State:.T' /proc/\(pid)/status; do :; done",
        ])
        try site.name("2.0")
        let doubt = try checking.result()
        #expect(doubt["result"] as? String == "unknown", "\(doubt)")
        let named = try String(contentsOfFile: site.current, encoding: .utf8)
        #expect(named == site.currentText("2.0"))
        try server.handle.signal(Signals.proceed)
        let result = try checking.result()
        #expect(result["result"] as? String == "committed", "\(result)")
        try site.expectAgreement("2.0", generation: 2)
        try server.waitForExit()
    }

    @Test func secondWatch_isTurnedAwayWithThePidOfTheFirst() throws {
        let (site, _, watch) = try started()
        let run = try site.service.swapctl([
            "watch", site.service.name, "--current", site.current, "--json",
        ])
        #expect(run.status == .exited(75), "\(run)")
        #expect(run.reason.contains("pid \(watch.process.processID) watches"), "\(run)")
    }

    @Test func manager_isToldWhenItWatchesAndWhatHappens() throws {
        let site = try WatchedSite()
        try site.makeRelease("1.0")
        try site.name("1.0")
        let server = try site.startServer("1.0")
        let path = site.service.directory + "/notify"
        let socket = try Syscall.openSocket(family: .unix, type: .datagram, nonBlocking: true)
        try Syscall.bind(socket.rawValue, to: .unixPath(path))
        let watch = try site.startWatch(environment: ["NOTIFY_SOCKET": path])
        _ = try watch.stop()
        var heard = ""
        while let bytes = try? Syscall.read(socket.rawValue, count: 4_096), !bytes.isEmpty {
            heard += String(decoding: bytes, as: UTF8.self)
        }
        #expect(heard.contains("READY=1\n"))
        #expect(heard.hasSuffix("STOPPING=1\n"))
        withExtendedLifetime(server) {}
    }
}
