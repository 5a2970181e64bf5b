// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// The operator's day, from the upload of a version to its rollback.
@Suite(.serialized) struct ReleaseStoryTests {
    /// Runs a verb about this site's releases.
    ///
    /// A watch looks once more when a switch is over and told, and has the lock for that long: who
    /// comes at that moment is told to wait, and does.
    private func swapctl(_ site: WatchedSite, _ arguments: [String]) throws -> SwapctlRun {
        let deadline = Syscall.monotonicNanoseconds() + 10_000_000_000
        while true {
            let run = try site.service.swapctl(arguments + ["--current", site.current, "--json"])
            let isBusy = run.status == .exited(75)
            if !isBusy || Syscall.monotonicNanoseconds() > deadline { return run }
        }
    }

    /// Three releases are uploaded, one of them broken; under load, and nobody notices.
    @Test func day_ofAnOperator_losesNoRequest() throws {
        let port = try FreePort.find()
        let site = try WatchedSite([])
        let options = ["--service", site.service.name, "--http", "tcp:127.0.0.1:\(port)"]
        let uploads = site.service.directory + "/uploads"
        try FileManager.default.createDirectory(
            atPath: uploads, withIntermediateDirectories: true)
        for version in ["1.0", "1.1", "1.2"] {
            try site.write("\(uploads)/cfg", "version = \(version)\n")
            let cfg = try swapctl(
                site, ["release", "add", "\(uploads)/cfg", "--as", "cfg.\(version)"])
            #expect(cfg.status == .exited(0), "\(cfg)")
            let isBroken = version == "1.1"
            try site.write("\(uploads)/broken", "#!/bin/sh\necho no >&2\nexit 3\n", mode: 0o755)
            let program = isBroken ? uploads + "/broken" : Binaries.web
            let added = try swapctl(site, ["release", "add", program, "--as", "app.\(version)"])
            #expect(added.status == .exited(0), "\(added)")
        }
        try site.write(site.current, site.currentText("1.0"))

        // The first start.
        let watch = try site.startWatch(command: [site.directory + "/app.bin"] + options)
        try site.expectAgreement("1.0", generation: 1)
        let load = try ChildProcess(
            Binaries.load,
            [
                "--http", "tcp:127.0.0.1:\(port)", "--rate", "200", "--timeout", "10s", "--json",
            ])

        // A broken one.
        #expect(try swapctl(site, ["release", "use", "1.1"]).status == .exited(0))
        let refused = try watch.result()
        #expect(refused["result"] as? String == "unchanged", "\(refused)")
        try site.expectAgreement("1.0", generation: 1)

        // A good one.
        #expect(try swapctl(site, ["release", "use", "1.2"]).status == .exited(0))
        let upgraded = try watch.result()
        #expect(upgraded["result"] as? String == "committed", "\(upgraded)")
        try site.expectAgreement("1.2", generation: 2)

        // And back.
        let back = try swapctl(site, ["rollback", site.service.name])
        #expect(back.status == .exited(0), "\(back)")
        try site.expectAgreement("1.0", generation: 3)
        let forth = try swapctl(site, ["rollback", site.service.name, "--to", "app.1.2"])
        #expect(forth.status == .exited(0), "\(forth)")
        try site.expectAgreement("1.2", generation: 4)

        load.closeInput()
        #expect(try load.waitForExit() == .exited(0), "\(load.standardOutput)")
        let report = try #require(
            (try JSONSerialization.jsonObject(with: Data(load.standardOutput.utf8)))
                as? [String: Any])
        #expect(report["failed"] as? Int == 0, "\(load.standardOutput) \(load.standardError)")
        #expect((report["generations"] as? [Any])?.count == 4, "\(report)")

        // The watch has seen the rollbacks, and had nothing to do.
        #expect(try watch.stop().allSatisfy { $0["event"] as? String == "note" })
        let history = try site.history()
        #expect(
            history.map { "\($0["verb"] ?? "") \($0["result"] ?? "")" } == [
                "start committed", "upgrade unchanged", "upgrade committed", "rollback committed",
                "rollback committed",
            ])

        // What is old goes; what serves stays, and what a rollback would return to.
        let pruned = try swapctl(site, ["release", "prune", "--keep", "1"])
        #expect(
            pruned.result["removed"] as? [String] == [
                "app.1.1", "cfg.1.1",
            ], "\(pruned)")
        try site.expectAgreement("1.2", generation: 4)
        #expect(try site.service.swapctl(["stop", site.service.name]).status == .exited(0))
        #expect(DescriptorAudit.processes(mentioning: site.service.name) == [])
    }

    @Test func rollback_whenTheOldReleaseIsBroken_changesNothing() throws {
        let site = try WatchedSite()
        for version in ["1.0", "2.0"] { try site.makeRelease(version) }
        try site.name("1.0")
        _ = try site.startServer("1.0")
        let watch = try site.startWatch()
        try site.name("2.0")
        #expect(try watch.result()["result"] as? String == "committed")
        try Syscall.unlink(site.release("app.1.0"))
        let gone = try swapctl(site, ["rollback", site.service.name])
        #expect(gone.status == .exited(78), "\(gone)")
        #expect(gone.reason.contains("\"bin.file\": \(site.release("app.1.0")) does not exist"))
        try site.makeBrokenRelease("1.0x")
        try Syscall.rename(site.release("app.1.0x"), site.release("app.1.0"))
        let broken = try swapctl(site, ["rollback", site.service.name])
        #expect(broken.status == .exited(1), "\(broken)")
        #expect(broken.reason.contains("status 3"), "\(broken)")
        _ = try watch.stop()
        try site.expectAgreement("2.0", generation: 2)
    }

    @Test func rollback_whenThereIsNothingToGoBackTo_saysSo() throws {
        let site = try WatchedSite()
        try site.makeRelease("1.0")
        try site.name("1.0")
        _ = try site.startServer("1.0")
        _ = try site.startWatch().stop()
        let run = try swapctl(site, ["rollback", site.service.name])
        #expect(run.status == .exited(1), "\(run)")
        #expect(run.reason.contains("has no release that served before"), "\(run)")
        // Found without --current, from the program that serves.
        let here = try site.service.swapctl(["history", site.service.name, "--json"])
        #expect(here.objects.count == 1, "\(here)")
    }

    @Test func prune_whenAGenerationStillDrains_keepsItsRelease() throws {
        let site = try WatchedSite()
        for version in ["0.9", "1.0", "2.0", "3.0", "4.0"] { try site.makeRelease(version) }
        try site.name("1.0")
        let server = try site.startServer("1.0")
        let client = try EchoClient(port: site.service.port("echo"))
        #expect(try client.greet() == server.processID)
        let watch = try site.startWatch()
        for version in ["2.0", "3.0"] {
            try site.name(version)
            #expect(try watch.result()["result"] as? String == "committed")
        }
        let run = try swapctl(
            site, ["release", "prune", "--keep", "1", "--service", site.service.name])
        #expect(run.status == .exited(0), "\(run)")
        // 4.0 is the next, 3.0 serves, a rollback returns to 2.0, and 1.0 drains.
        #expect(run.result["removed"] as? [String] == ["app.0.9", "cfg.0.9"], "\(run)")
        let kept = run.result["kept"] as? [String: [String]]
        #expect(kept?["app.1.0"] == ["pid \(server.processID)"], "\(run)")
        #expect(kept?["cfg.1.0"] == ["pid \(server.processID)"], "\(run)")
        #expect(kept?["app.2.0"] == ["rollback"], "\(run)")
        #expect(kept?["app.3.0"]?.contains("link app.bin") == true, "\(run)")
        #expect(try client.exchange("still here") == "still here")
        _ = try watch.stop()
        try site.expectAgreement("3.0", generation: 3)
    }

    /// Every rewrite is seen or superseded; each upgrade is recorded once.
    @Test func current_rewrittenAHundredTimesInTwoSeconds_endsAtTheLast() throws {
        let site = try WatchedSite()
        let versions = (1...5).map { "\($0).0" }
        for version in versions { try site.makeRelease(version) }
        try site.name("1.0")
        let server = try site.startServer("1.0")
        let watch = try site.startWatch(["--drain", "1s"])
        let pacer = try Syscall.eventDescriptor()
        for index in 1...100 {
            try site.name(versions[index % 4])
            // The pace is what is tested: one every 20 ms.
            _ = try Syscall.poll(
                pacer.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 20)
        }
        try site.name("5.0")
        var results: [[String: Any]] = []
        while (results.last?["to"] as? [String: Any])?["bin"] as? String
            != site.release("app.5.0")
        {
            results.append(try watch.result())
        }
        #expect(results.allSatisfy { $0["result"] as? String == "committed" }, "\(results)")
        #expect(results.count > 3, "\(results.count) upgrades in 2 s")
        // None doubled, none lost: as many generations as upgrades, in their order.
        #expect(results.map { $0["generation"] as? Int } == (2..<(results.count + 2)).map { $0 })
        for (one, next) in zip(results, results.dropFirst()) {
            #expect((one["to"] as? NSDictionary) == (next["from"] as? NSDictionary))
            #expect((next["to"] as? NSDictionary) != (next["from"] as? NSDictionary))
        }
        #expect(try watch.stop().isEmpty)
        try site.expectAgreement("5.0", generation: results.count + 1)
        #expect(try site.history().count == results.count + 1)
        try server.waitForExit()
    }
}
