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
        let to = try site.history().last?["to"] as? [String: Any]
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
}
