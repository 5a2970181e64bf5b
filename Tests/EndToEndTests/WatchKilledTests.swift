// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// kill -9 of a watch at every step of a switch: the next one finds out what serves.
@Suite(.serialized) struct WatchKilledTests {
    /// A watch that has died at `step` of a switch to `version`.
    private func killed(
        at step: String, of version: String, _ make: (WatchedSite) throws -> Void
    ) throws -> (WatchedSite, ChildProcess) {
        let site = try WatchedSite()
        try site.makeRelease("1.0")
        try make(site)
        try site.name("1.0")
        let server = try site.startServer("1.0")
        let watch = try ChildProcess(
            Binaries.fixture, ["watch", site.service.name, site.current, "kill:\(step)"],
            environment: site.service.environment)
        _ = try watch.line("watching")
        try site.name(version)
        let status = try watch.waitForExit()
        try #require(
            status == .signaled(Signals.kill, coreDumped: false),
            "\(step): \(watch.standardOutput) \(watch.standardError)")
        return (site, server)
    }

    @Test(arguments: [
        "before check", "after check", "before intent", "after intent", "before links",
        "after links", "before ask", "upgrade start running", "upgrade start ok",
        "upgrade ready running", "upgrade ready ok", "upgrade commit ok", "after ask",
        "before commit", "after commit", "before journal", "after journal",
    ])
    func goodRelease_whenTheWatchIsKilled_servesOnceAfterItsRestart(step: String) throws {
        let (site, server) = try killed(at: step, of: "2.0") { try $0.makeRelease("2.0") }
        let watch = try site.startWatch()
        // One upgrade, no matter which watch has seen its end.
        try site.expectAgreement("2.0", generation: 2)
        try server.waitForExit()
        let history = try site.history()
        let committed = history.filter { $0["result"] as? String == "committed" }
        #expect(committed.count == 2, "\(step): \(history)")
        #expect(Set(history.compactMap { $0["id"] as? String }).count == history.count)
        #expect(try watch.stop().isEmpty)
        #expect(DescriptorAudit.zombies(of: watch.process.processID) == [])
    }

    @Test(arguments: [
        "before check", "after check", "after intent", "after links", "upgrade start running",
        "after ask", "before return links", "after return links", "before return current",
        "after return current", "before journal", "after journal", "before remove intent",
        "after remove intent",
    ])
    func brokenRelease_whenTheWatchIsKilled_isTakenBackAfterItsRestart(step: String) throws {
        let (site, server) = try killed(at: step, of: "2.0") { try $0.makeBrokenRelease("2.0") }
        let watch = try site.startWatch()
        try site.expectAgreement("1.0", generation: 1)
        #expect(try site.service.servingStatus()["pid"] as? Int == Int(server.processID))
        let history = try site.history()
        #expect(history.filter { $0["result"] as? String == "committed" }.count == 1)
        #expect(
            history.contains { $0["result"] as? String == "unchanged" }, "\(step): \(history)")
        #expect(Set(history.compactMap { $0["id"] as? String }).count == history.count)
        #expect(try watch.stop().isEmpty)
    }

    /// The same for the program of a rollback: nobody but the next one tidies up after it.
    @Test(arguments: ["after intent", "after links", "after ask", "after commit"])
    func watch_whenKilled_rollbackTidiesUpFirst(step: String) throws {
        let (site, server) = try killed(at: step, of: "2.0") { try $0.makeRelease("2.0") }
        try site.makeRelease("3.0")
        let run = try site.service.swapctl([
            "rollback", site.service.name, "--to", "3.0", "--current", site.current, "--json",
        ])
        #expect(run.status == .exited(0), "\(run)")
        try site.expectAgreement("3.0")
        try server.waitForExit()
    }

    /// Nothing was switched here before: the intent says where the links led.
    @Test(arguments: ["after links", "after ask"])
    func firstSwitch_whenTheWatchIsKilled_linksReturnWhereTheyLed(step: String) throws {
        let site = try WatchedSite()
        try site.makeRelease("1.0")
        try site.makeBrokenRelease("2.0")
        let server = try site.startServer("1.0")
        try site.name("2.0")
        let watch = try ChildProcess(
            Binaries.fixture, ["watch", site.service.name, site.current, "kill:\(step)"],
            environment: site.service.environment)
        #expect(try watch.waitForExit() == .signaled(Signals.kill, coreDumped: false))
        #expect(try site.link("app.bin") == site.release("app.2.0"))
        // There is nothing to go back to, but for the links.
        let run = try site.service.swapctl([
            "rollback", site.service.name, "--current", site.current, "--json",
        ])
        #expect(run.status == .exited(1), "\(run)")
        #expect(try site.link("app.bin") == site.release("app.1.0"))
        #expect(try site.link("app.cfg") == site.release("cfg.1.0"))
        #expect(try site.service.servingStatus()["pid"] as? Int == Int(server.processID))
        #expect(site.leftovers() == [])
    }

    /// A supervisor of the server starts it by the links, as the switch has turned them.
    @Test func switch_whenTheServerWasStartedAfreshMeanwhile_isKnownToHaveSucceeded() throws {
        let (site, server) = try killed(at: "after links", of: "2.0") {
            try $0.makeRelease("2.0")
        }
        try server.handle.signal(Signals.kill)
        try server.waitForExit()
        let afresh = try ChildProcess(
            site.directory + "/app.bin", site.options, environment: site.service.environment)
        try site.service.waitUntilServing()
        let watch = try site.startWatch()
        try site.expectAgreement("2.0", generation: 1)
        #expect(try site.service.servingStatus()["pid"] as? Int == Int(afresh.processID))
        #expect(try site.history().allSatisfy { $0["result"] as? String == "committed" })
        #expect(try watch.stop().isEmpty)
    }

    /// A server that is started is not started twice.
    @Test(arguments: ["before ask", "after ask", "after commit"])
    func start_whenTheWatchIsKilled_serverRunsOnce(step: String) throws {
        let site = try WatchedSite()
        try site.makeRelease("1.0")
        try site.name("1.0")
        let command = [site.directory + "/app.bin"] + site.options
        let killed = try ChildProcess(
            Binaries.fixture,
            ["watch", site.service.name, site.current, "kill:\(step)"] + command,
            environment: site.service.environment)
        #expect(try killed.waitForExit() == .signaled(Signals.kill, coreDumped: false))
        _ = try site.startWatch(command: command)
        try site.expectAgreement("1.0", generation: 1)
        #expect(
            DescriptorAudit.processes(mentioning: site.service.name).filter { pid in
                (try? Syscall.readLink("/proc/\(pid)/exe")) == site.release("app.1.0")
            }.count == 1)
    }
}
