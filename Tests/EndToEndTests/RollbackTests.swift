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
        #expect(run.reason.contains("somebody has changed \(site.current)"), "\(run)")
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
}
