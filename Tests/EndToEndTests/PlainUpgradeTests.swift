// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// `swapctl upgrade` of a server whose releases are watched.
@Suite(.serialized) struct PlainUpgradeTests {
    @Test func upgrade_byTheLink_isInTheJournalAndNoNewsToTheWatch() throws {
        let site = try WatchedSite()
        try site.makeRelease("1.0")
        try site.name("1.0")
        let server = try site.startServer("1.0")
        let watch = try site.startWatch()
        let run = try site.service.swapctl(["upgrade", site.service.name, "--json"])
        #expect(run.status == .exited(0), "\(run)")
        try server.waitForExit()
        try site.expectAgreement("1.0", generation: 2)
        #expect(try site.history().last?["why"] as? String == "swapctl upgrade")
        #expect(try watch.stop().isEmpty)
    }

    @Test func upgrade_toAnotherRelease_isInTheJournalAndReturnedFromAtTheNextLook() throws {
        let site = try WatchedSite()
        for version in ["1.0", "2.0"] { try site.makeRelease(version) }
        try site.name("1.0")
        _ = try site.startServer("1.0")
        let watch = try site.startWatch()
        let run = try site.service.swapctl(
            ["upgrade", site.service.name, "--json", "--", site.release("app.2.0")]
                + site.options)
        #expect(run.status == .exited(0), "\(run)")
        // Not the last: the watch may have returned from it already.
        let entry = try site.history().last { $0["why"] as? String == "swapctl upgrade" }
        let to = entry?["to"] as? [String: Any]
        #expect(to?["bin"] as? String == site.release("app.2.0"))
        try FileManager.default.setAttributes(
            [.modificationDate: Date()], ofItemAtPath: site.current)
        let result = try watch.result()
        #expect(result["result"] as? String == "committed", "\(result)")
        try site.expectAgreement("1.0", generation: 3)
    }

    @Test func upgrade_thatFails_isInTheJournal() throws {
        let site = try WatchedSite()
        try site.makeRelease("1.0")
        try site.name("1.0")
        _ = try site.startServer("1.0")
        let watch = try site.startWatch()
        let run = try site.service.swapctl([
            "upgrade", site.service.name, "--json", "--", "/bin/false",
        ])
        #expect(run.status == .exited(1), "\(run)")
        let last = try #require(try site.history().last)
        #expect(last["result"] as? String == "unchanged", "\(last)")
        #expect(last["reason"] is String, "\(last)")
        _ = try watch.stop()
        try site.expectAgreement("1.0", generation: 1)
    }

    /// Nobody watches, `release use` turns the links, and the server is upgraded by them.
    @Test(arguments: [
        (bySignal: false, release: nil), (bySignal: true, release: nil),
        (bySignal: false, release: "app.1.0"), (bySignal: true, release: "1.0"),
    ])
    func rollback_afterAnUpgradeByTheLink_returnsToWhatServedBefore(
        bySignal: Bool, release: String?
    ) throws {
        let site = try WatchedSite()
        for version in ["1.0", "2.0"] { try site.makeRelease(version) }
        try site.name("1.0")
        let server = try site.startServer("1.0")
        _ = try site.startWatch().stop()
        let use = try site.service.swapctl(["release", "use", "2.0", "--current", site.current])
        #expect(use.status == .exited(0), "\(use)")
        if bySignal {
            try server.handle.signal(Signals.user2)
        } else {
            let run = try site.service.swapctl(["upgrade", site.service.name, "--json"])
            #expect(run.status == .exited(0), "\(run)")
        }
        try server.waitForExit()
        let back = try site.service.swapctl(
            ["rollback", site.service.name, "--current", site.current, "--json"]
                + (release.map { ["--to", $0] } ?? []))
        #expect(back.status == .exited(0), "\(back)")
        try site.expectAgreement("1.0", generation: 3)
        let history = try site.history()
        #expect(
            history.map { $0["verb"] as? String }
                == ["adopt", bySignal ? "adopt" : "upgrade", "rollback"], "\(history)")
        let from = history.last?["from"] as? [String: Any]
        #expect(from?["bin"] as? String == site.release("app.2.0"), "\(history)")
        #expect(from?["cfg"] as? String == site.release("cfg.2.0"), "\(history)")
    }

    /// Only the configuration is another one; the next watch knows it.
    @Test func watch_afterAnUpgradeToAnotherConfiguration_knowsWhatServes() throws {
        let site = try WatchedSite()
        for version in ["1.0", "2.0"] { try site.makeRelease(version) }
        try site.name("1.0")
        let server = try site.startServer("1.0")
        _ = try site.startWatch().stop()
        let use = try site.service.swapctl([
            "release", "use", "cfg.2.0", "--current", site.current,
        ])
        #expect(use.status == .exited(0), "\(use)")
        try server.handle.signal(Signals.user2)
        try server.waitForExit()
        let watch = try site.startWatch()
        #expect(try watch.stop().isEmpty)
        #expect(try site.service.servingStatus()["generation"] as? Int == 2)
        let last = try #require(try site.history().last)
        #expect(last["verb"] as? String == "adopt", "\(last)")
        #expect(
            (last["to"] as? [String: Any])?["cfg"] as? String == site.release("cfg.2.0"), "\(last)")
    }

    /// Somebody else supervises the server, by the link, and starts it again at once.
    ///
    /// The predecessor dies while the successor hangs: what serves then is told, and not called unchanged.
    @Test(arguments: [false, true])
    func predecessor_whenItDiesAndIsStartedAfresh_isNotCalledUnchanged(byLink: Bool) throws {
        let site = try WatchedSite()
        for version in ["1.0", "2.0"] { try site.makeRelease(version) }
        try Syscall.symbolicLink(to: site.release("app.1.0"), at: site.directory + "/app.bin")
        let supervisor = try ChildProcess(
            "/bin/sh",
            ["-c", "while [ -e \"$0\" ]; do \"$0\" \"$@\"; done", site.directory + "/app.bin"]
                + site.options, environment: site.service.environment)
        try site.service.waitUntilServing()
        let first = Int32(try #require(try site.service.servingStatus()["pid"] as? Int))
        try Syscall.symbolicLink(to: site.release("app.2.0"), at: site.directory + "/new")
        try Syscall.rename(site.directory + "/new", site.directory + "/app.bin")
        let fifo = try Fifo(in: site.service.directory)
        // The one asked for is what the supervisor starts, or not.
        let wanted = byLink ? site.directory + "/app.bin" : Binaries.fixture
        let upgrade = try site.service.startSwapctl(
            ["upgrade", site.service.name, "--json", "--", wanted] + site.options
                + ["--fault", "hold:send hello:\(fifo.path)"])
        try fifo.waitUntilReached()
        try ProcessHandle.open(first).signal(Signals.kill)
        let status = try upgrade.waitForExit()
        let object = upgrade.standardOutput.split(separator: "\n").last.map { Data($0.utf8) }
        let result = try #require(
            try object.flatMap { try JSONSerialization.jsonObject(with: $0) } as? [String: Any])
        let serving = try #require(try site.service.servingStatus()["pid"] as? Int)
        #expect(result["pid"] as? Int == serving, "\(result)")
        #expect(
            try Syscall.readLink("/proc/\(serving)/exe") == site.release("app.2.0"), "\(result)")
        if byLink {
            #expect(status == .exited(0), "\(result)")
            #expect(result["result"] as? String == "committed", "\(result)")
            #expect(
                (result["warning"] as? String)?.contains("died during the upgrade") == true,
                "\(result)")
        } else {
            #expect(status == .exited(1), "\(result)")
            #expect(result["code"] as? String == "restarted", "\(result)")
            #expect((result["reason"] as? String)?.contains("app.2.0 and not") == true, "\(result)")
        }
        try Syscall.unlink(site.directory + "/app.bin")
        withExtendedLifetime((supervisor, fifo)) {}
    }
}
