// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// Root works in a site of somebody else, who tries to become root by it.
@Suite(
    .serialized,
    .enabled(if: ForeignSite.isPossible, "two users at once need root: run the tests as root"))
struct ForeignSiteTests {
    private func run(_ foreign: ForeignSite, _ arguments: [String]) throws -> SwapctlRun {
        try foreign.service.swapctl(arguments + ["--current", foreign.site.current, "--json"])
    }

    /// Waits until the watch has told of something that was not done.
    private func refusal(_ watch: ChildProcess) throws -> [String: Any] {
        while true {
            let line = try watch.line("{")
            let object =
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            if ["result", "error", "note"].contains(object["event"] as? String) { return object }
        }
    }

    private func startWatch(_ foreign: ForeignSite, _ extra: [String] = []) throws -> ChildProcess {
        try foreign.service.startSwapctl(
            [
                "watch", foreign.service.name, "--current", foreign.site.current, "--json",
                "--patience", "100ms",
            ] + extra)
    }

    // MARK: - Another mount namespace

    /// In the namespace of the server the release directory is another one.
    @Test func server_thatSeesAnotherReleaseDirectory_isNotTakenForTheDeployedOne() throws {
        let site = try WatchedSite()
        let inside = site.service.directory + "/inside"
        try FileManager.default.createDirectory(
            atPath: inside, withIntermediateDirectories: true)
        for version in ["1.0", "2.0"] {
            try site.makeRelease(version)
            try FileManager.default.copyItem(
                atPath: site.release("app.\(version)"), toPath: "\(inside)/app.\(version)")
            try Syscall.symbolicLink(to: "/dev/null", at: "\(inside)/cfg.\(version)")
        }
        try site.name("1.0")
        try Syscall.symbolicLink(to: site.release("app.1.0"), at: site.directory + "/app.bin")
        try Syscall.symbolicLink(to: site.release("cfg.1.0"), at: site.directory + "/app.cfg")
        let server = try ChildProcess(
            "/usr/bin/env",
            [
                "unshare", "--mount", "sh", "-c",
                "mount --bind \"$0\" \"$1\" && shift && exec \"$@\"",
                inside, site.directory + "/release", site.directory + "/app.bin",
            ] + site.options, environment: site.service.environment)
        try site.service.waitUntilServing()
        let found = try site.service.swapctl(["history", site.service.name, "--json"])
        #expect(found.status == .exited(64), "\(found)")
        let run = try site.service.swapctl([
            "deploy", site.service.name, "2.0", "--current", site.current, "--json",
        ])
        #expect(run.status == .exited(3), "\(run)")
        #expect(run.result["result"] as? String == "unknown", "\(run)")
        #expect("\(run.result["warnings"] ?? "")".contains("as seen from here"), "\(run)")
        #expect(try site.service.swapctl(["stop", site.service.name]).status == .exited(0))
        withExtendedLifetime(server) {}
    }

    // MARK: - Programs

    /// Who may write the record decides what is executed, but not as whom.
    @Test func recordedCommand_whenForged_runsAsTheOwnerAndNotAsRoot() throws {
        let foreign = try ForeignSite()
        try foreign.write("current.conf", foreign.site.currentText("1.0"))
        try foreign.writeRecord(command: [try foreign.makeTeller()])
        let before = try foreign.snapshot()
        let watch = try startWatch(foreign)
        let told = try refusal(watch)
        #expect("\(told["reason"] ?? "")".contains("told"), "\(told)")
        #expect(try foreign.tellers() == ["\(ForeignSite.owner.userID)"])
        #expect(try foreign.snapshot() == before)
        let entry = try foreign.site.history().last
        let by = entry?["by"] as? [String: Any]
        #expect(by?["uid"] as? Int == 0, "\(entry ?? [:])")
        #expect(by?["as_uid"] as? Int == Int(ForeignSite.owner.userID), "\(entry ?? [:])")
    }

    @Test func check_runsAsTheOwnerWithoutTheEnvironmentOfRoot() throws {
        let foreign = try ForeignSite()
        try foreign.write("current.conf", foreign.site.currentText("2.0"))
        try foreign.writeRecord()
        let server = try foreign.startServer("1.0")
        let line = "id -u >> '\(foreign.ran)'; echo $ROOTS_OWN. $(pwd) $HOME; exit 1"
        let watch = try ChildProcess(
            Binaries.swapctl,
            [
                "watch", foreign.service.name, "--current", foreign.site.current, "--json",
                "--check", line,
            ], environment: foreign.service.environment.merging(["ROOTS_OWN": "x"]) { $1 })
        let told = try refusal(watch)
        let home = User.withID(ForeignSite.owner.userID)?.home ?? "/"
        #expect(
            "\(told["reason"] ?? "")".contains(": . \(foreign.site.directory) \(home)"), "\(told)")
        #expect(try foreign.tellers() == ["\(ForeignSite.owner.userID)"])
        withExtendedLifetime(server) {}
    }

    /// A third user could put another site of the same owner's into the place of this one.
    @Test(arguments: [0o777, 0o775])
    func site_belowADirectoryThatOthersMayWrite_isNotUsed(mode: Int) throws {
        let foreign = try ForeignSite()
        try foreign.write("current.conf", foreign.site.currentText("1.0"))
        try foreign.writeRecord()
        let server = try foreign.startServer("1.0")
        let parent = (foreign.site.directory as NSString).deletingLastPathComponent
        try FileManager.default.setAttributes(
            [.posixPermissions: mode], ofItemAtPath: parent)
        let before = try foreign.snapshot()
        let run = try run(foreign, ["deploy", foreign.service.name, "2.0"])
        #expect(run.status == .exited(77), "\(run)")
        #expect(run.reason.contains("chmod go-w \(parent)`"), "\(run)")
        #expect(try foreign.snapshot() == before)
        withExtendedLifetime(server) {}
    }

    /// The owner of the site would decide what root executes.
    @Test func upgrade_ofAServerOfRoot_isRefused() throws {
        let foreign = try ForeignSite()
        try foreign.write("current.conf", foreign.site.currentText("2.0"))
        try foreign.writeRecord()
        try FileManager.default.removeItem(atPath: foreign.service.runtime)
        let server = try foreign.site.startServer("1.0")
        let watch = try startWatch(foreign)
        let told = try refusal(watch)
        #expect("\(told["reason"] ?? "")".contains("runs as root"), "\(told)")
        let status = try foreign.service.servingStatus()
        #expect(status["generation"] as? Int == 1)
        withExtendedLifetime(server) {}
    }

    /// The same without root: the group may write, and one of it has.
    @Test func recordedCommand_ofAnotherUser_isNotRun() throws {
        let foreign = try ForeignSite()
        try foreign.write("current.conf", foreign.site.currentText("1.0"))
        try foreign.writeRecord(command: [try foreign.makeTeller()])
        let record = foreign.site.directory + "/.succession/serving"
        try #require(lchown(record, 2, ForeignSite.owner.groupID) == 0)
        let watch = try ChildProcess(
            Binaries.swapctl,
            ["watch", foreign.service.name, "--current", foreign.site.current, "--json"],
            environment: foreign.service.environment, user: ForeignSite.owner)
        let told = try refusal(watch)
        #expect("\(told["message"] ?? "")".contains("give the command after --"), "\(told)")
        #expect(try foreign.tellers() == [])
    }

    /// The server would have the terminal of root open, and could read what is typed there.
    @Test(arguments: [false, true])
    func log_toStandardError_isNoTerminalOfRoot(isTerminal: Bool) throws {
        let foreign = try ForeignSite()
        try foreign.write("current.conf", foreign.site.currentText("1.0"))
        let deploy = [
            Binaries.swapctl, "deploy", foreign.service.name, "1.0", "--current",
            foreign.site.current, "--log", "-", "--", try foreign.makeTeller(),
        ]
        let pty =
            "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
        let words = isTerminal ? ["python3", "-c", pty] + deploy : deploy
        let process = try ChildProcess(
            "/usr/bin/env", words, environment: foreign.service.environment)
        let status = try process.waitForExit()
        #expect(status == .exited(isTerminal ? 64 : 1), "\(process.standardOutput)")
        let told = process.standardOutput + process.standardError
        #expect(told.contains("could read from this terminal") == isTerminal, "\(told)")
        #expect(try foreign.tellers().isEmpty == isTerminal)
    }

    // MARK: - current.conf

    /// The record names the file to which `current.conf` is returned, and what it is to say.
    @Test func current_asALinkOutOfTheSite_isNotWritten() throws {
        let foreign = try ForeignSite()
        let victim = foreign.outside + "/state/t.log"
        try foreign.site.write(victim, "no JSON\n")
        try foreign.link("current.conf", to: victim)
        try foreign.writeRecord(
            text: foreign.site.currentText("2.0"), link: (target: victim, file: victim))
        let server = try foreign.startServer("1.0")
        let before = try foreign.snapshot()
        let watch = try startWatch(foreign)
        _ = try refusal(watch)
        try endAfterPatience(watch)
        #expect(try foreign.snapshot() == before)
        withExtendedLifetime(server) {}
    }

    @Test func current_asALinkToASecret_doesNotCopyIt() throws {
        let foreign = try ForeignSite()
        try foreign.link("current.conf", to: foreign.outside + "/secret.conf")
        try foreign.writeRecord()
        let server = try foreign.startServer("1.0")
        let before = try foreign.snapshot()
        let watch = try startWatch(foreign)
        let told = try refusal(watch)
        try endAfterPatience(watch)
        #expect(foreign.leaks() == [])
        #expect(try foreign.snapshot() == before)
        #expect("\(told["message"] ?? "")".contains("out of \(foreign.site.directory)"), "\(told)")
        withExtendedLifetime(server) {}
    }

    /// What is done when the patience is over is done before a signal is looked at.
    private func endAfterPatience(_ watch: ChildProcess) throws {
        _ = try? watch.line("{\"event\":\"result\"", within: 1)
        try watch.handle.signal(Signals.terminate)
        _ = try watch.waitForExit()
    }

    /// As Kubernetes has it: `current.conf` leads to `..data/current.conf`, and `..data` is turned.
    @Test func current_asALinkWithinTheSite_isFollowed() throws {
        let foreign = try ForeignSite()
        try foreign.write("..1/current.conf", foreign.site.currentText("1.0"))
        try foreign.write("..2/current.conf", foreign.site.currentText("2.0"))
        try foreign.link("..data", to: "..1")
        try foreign.link("current.conf", to: "..data/current.conf")
        let server = try foreign.startServer("1.0")
        let watch = try WatchProcess(startWatch(foreign))
        try foreign.link("new", to: "..2")
        try Syscall.rename(foreign.site.directory + "/new", foreign.site.directory + "/..data")
        #expect(try watch.result()["result"] as? String == "committed")
        try foreign.site.expectAgreement("2.0", generation: 2)
        let name = User.withID(ForeignSite.owner.userID)?.name ?? "?"
        #expect(watch.beginning.last?["as"] as? String == name)
        let status = try foreign.service.swapctl(["status", foreign.service.name])
        #expect(status.standardOutput.contains("works with the rights of \(name)"), "\(status)")
        for name in ["journal", "serving", "watch.lock"] {
            let facts = try Syscall.linkStatus(foreign.site.directory + "/.succession/" + name)
            #expect(facts.userID == ForeignSite.owner.userID, "\(name)")
            #expect(facts.mode == 0o600, "\(name)")
        }
        withExtendedLifetime(server) {}
    }

    // MARK: - Directories

    @Test(arguments: ["watch", "rollback", "use", "add", "prune"])
    func state_asALink_leadsNowhere(verb: String) throws {
        let foreign = try ForeignSite()
        try foreign.write("current.conf", foreign.site.currentText("1.0"))
        try foreign.link(".succession", to: foreign.outside + "/state")
        try expectNothingOutside(foreign, verb)
    }

    @Test(arguments: ["watch", "use", "add", "prune"])
    func releases_asALink_leadNowhere(verb: String) throws {
        let foreign = try ForeignSite()
        try foreign.write("current.conf", foreign.site.currentText("1.0"))
        let directory = foreign.site.directory
        try Syscall.rename(directory + "/release", directory + "/elsewhere")
        try foreign.link("release", to: foreign.outside + "/release")
        try expectNothingOutside(foreign, verb)
    }

    private func expectNothingOutside(_ foreign: ForeignSite, _ verb: String) throws {
        let before = try foreign.snapshot()
        let (name, current) = (foreign.service.name, ["--current", foreign.site.current])
        let arguments = [
            "watch": ["watch", name], "rollback": ["rollback", name],
            "add": ["release", "add", Binaries.load], "use": ["release", "use", "app.1.0"],
            "prune": ["release", "prune", "--keep", "1"],
        ]
        let process = try foreign.service.startSwapctl(
            try #require(arguments[verb]) + current)
        // A watch may go on, and wait for something better.
        if verb == "watch" {
            _ = try? process.errorLine("swapctl: ", within: 2)
            try? process.handle.signal(Signals.terminate)
        }
        let status = try process.waitForExit(within: 15)
        #expect(verb == "watch" || status != .exited(0))
        #expect(try foreign.snapshot() == before)
    }

    @Test func log_asALink_isNotWritten() throws {
        let foreign = try ForeignSite()
        try foreign.write("current.conf", foreign.site.currentText("1.0"))
        try foreign.writeRecord(command: [try foreign.makeTeller()])
        try foreign.link(
            ".succession/\(foreign.service.name).log", to: foreign.outside + "/state/t.log")
        let before = try foreign.snapshot()
        _ = try refusal(startWatch(foreign))
        #expect(try foreign.snapshot() == before)
    }

    @Test func add_ofAFileWithSetIDBits_copiesNone() throws {
        let foreign = try ForeignSite()
        let source = foreign.service.directory + "/upload"
        try FileManager.default.createDirectory(
            atPath: source, withIntermediateDirectories: true)
        try foreign.site.write(source + "/app", "#!/bin/sh\n")
        try Syscall.changeMode(source + "/app", 0o6757)
        try Syscall.changeMode(source, 0o2777)
        let run = try run(foreign, ["release", "add", source, "--as", "3.0"])
        #expect(run.status == .exited(0), "\(run)")
        for (name, mode) in ["3.0": 0o775, "3.0/app": 0o755] as [String: UInt32] {
            let facts = try Syscall.linkStatus(foreign.site.release(name))
            #expect(facts.mode == mode, "\(name) \(String(facts.mode, radix: 8))")
            #expect(facts.userID == ForeignSite.owner.userID)
        }
    }
}
