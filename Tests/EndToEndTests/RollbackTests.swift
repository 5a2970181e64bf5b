// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import SystemPackage
import Testing

/// `swapctl rollback` when others are at work, or would interrupt it.
@Suite(.serialized) struct RollbackTests {
    private func started() throws -> (WatchedSite, ChildProcess) {
        let site = try WatchedSite()
        for version in ["1.0", "2.0", "3.0"] { try site.makeRelease(version) }
        try site.name("1.0")
        let server = try site.startServer("1.0")
        #expect(try site.startWatch().stop().isEmpty)
        return (site, server)
    }

    private func arguments(_ site: WatchedSite, to version: String, check: String) -> [String] {
        [
            "rollback", site.service.name, "--to", version, "--current", site.current, "--json",
            "--check", check,
        ]
    }

    @Test func current_whenChangedMeanwhile_isNotOverwritten() throws {
        let (site, server) = try started()
        let new = site.directory + "/new"
        try site.write(new, site.currentText("3.0"))
        let run = try site.service.swapctl(
            arguments(site, to: "2.0", check: "mv '\(new)' '\(site.current)'"))
        #expect(run.status == .exited(75), "\(run)")
        #expect(run.reason.contains("\(site.current) was changed by another process"), "\(run)")
        let named = try String(contentsOfFile: site.current, encoding: .utf8)
        #expect(named == site.currentText("3.0"))
        #expect(try site.link("app.bin") == site.release("app.1.0"))
        #expect(try site.service.servingStatus()["pid"] as? Int == Int(server.processID))
        #expect(try site.history().last?["result"] as? String == "refused")
        #expect(site.leftovers() == [])
    }

    /// What it says need not be what serves: somebody may have named a release for later.
    @Test(arguments: [false, true])
    func current_whenTheRollbackFails_isAsItWasBefore(isLink: Bool) throws {
        let (site, server) = try started()
        try site.makeBrokenRelease("4.0")
        let text = site.currentText("3.0")
        try site.write(site.directory + "/3.0.conf", text)
        try Syscall.unlink(site.current)
        if isLink {
            try Syscall.symbolicLink(to: "3.0.conf", at: site.current)
        } else {
            try site.write(site.current, text)
        }
        let run = try site.service.swapctl(arguments(site, to: "4.0", check: "true"))
        #expect(run.status == .exited(1), "\(run)")
        #expect(run.reason.contains("tea leaves"), "\(run)")
        #expect(try String(contentsOfFile: site.current, encoding: .utf8) == text)
        #expect((try? Syscall.readLink(site.current)) == (isLink ? "3.0.conf" : nil))
        #expect(try site.link("app.bin") == site.release("app.1.0"))
        #expect(try site.service.servingStatus()["pid"] as? Int == Int(server.processID))
        #expect(site.leftovers() == [])
    }

    @Test(arguments: [Signals.interrupt, Signals.terminate, Signals.hangUp])
    func signal_duringTheSwitch_isHeldBackUntilItIsOver(signal: CInt) throws {
        let (site, server) = try started()
        let reached = try Fifo(in: site.service.directory)
        let go = site.service.directory + "/go"
        try #require(mkfifo(go, 0o600) == 0)
        let rollback = try ChildProcess(
            Binaries.swapctl,
            arguments(site, to: "2.0", check: "echo reached > '\(reached.path)'; cat '\(go)'"),
            environment: site.service.environment)
        try reached.waitUntilReached()
        try rollback.handle.signal(signal)
        _ = try Syscall.open(go, .writeOnly)
        #expect(try rollback.waitForExit() == .exited(0), "\(rollback.standardError)")
        #expect(rollback.standardOutput.contains("\"committed\""), "\(rollback.standardOutput)")
        try server.waitForExit()
        try site.expectAgreement("2.0", generation: 2)
    }

    @Test func output_whenNobodyReadsIt_doesNotEndTheSwitch() throws {
        let (site, server) = try started()
        let (read, write) = try Syscall.pipe(nonBlocking: false)
        read.close()
        let words = [Binaries.swapctl] + arguments(site, to: "2.0", check: "true")
        let rollback = try ChildProcess(
            "/bin/sh",
            ["-c", "exec \(words.map { "'\($0)'" }.joined(separator: " ")) >&9 2>&9"],
            environment: site.service.environment, passing: [(source: write.rawValue, target: 9)])
        #expect(try rollback.waitForExit() == .exited(0), "\(rollback.standardError)")
        try server.waitForExit()
        try site.expectAgreement("2.0", generation: 2)
    }
}
