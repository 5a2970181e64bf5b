// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// `swapctl history`: what an operator reads of the journal.
@Suite(.serialized) struct HistoryTests {
    private func deployed(environment: [String: String] = [:]) throws -> WatchedSite {
        let site = try WatchedSite()
        for version in ["1.0", "2.0"] { try site.makeRelease(version) }
        try site.makeBrokenRelease("4.0")
        try site.name("1.0")
        _ = try site.startServer("1.0")
        for (release, status) in [("2.0", CInt(0)), ("4.0", 1)] {
            let run = try ChildProcess(
                Binaries.swapctl,
                ["deploy", site.service.name, release, "--current", site.current],
                environment: site.service.environment.merging(environment) { $1 })
            #expect(try run.waitForExit() == .exited(status), "\(run.standardError)")
        }
        return site
    }

    @Test func table_saysFromWhatAndThatItFailed_inEightyColumns() throws {
        let site = try deployed(environment: ["SUDO_USER": "alice"])
        let run = try site.service.swapctl([
            "history", site.service.name, "--current", site.current,
        ])
        let lines = run.standardOutput.split(separator: "\n")
        try #require(lines.count > 3, "\(run)")
        #expect(lines.allSatisfy { $0.count <= 80 }, "\(run)")
        #expect(lines[0].contains("FROM") && lines[0].contains("TO"), "\(run)")
        let failed = lines.filter { $0.hasSuffix("failed") }
        #expect(failed.count == 1, "\(run)")
        #expect(failed.first?.contains("app.2.0") == true, "\(run)")
        #expect(failed.first?.contains("app.4.0") == true, "\(run)")
        #expect(!run.standardOutput.contains("unchanged"), "\(run)")
        let isRoot = geteuid() == 0
        let by = try site.history().last?["by"] as? [String: Any]
        #expect(by?["sudo_user"] as? String == (isRoot ? "alice" : nil), "\(by ?? [:])")
        #expect(lines[1].contains(" alice ") == isRoot, "\(run)")
    }

    /// As a user without XDG_RUNTIME_DIR: the journal is a file, and no server need be found.
    @Test(.enabled(if: geteuid() == 0))
    func table_whenThereIsNowhereToLookForAServer_isShown() throws {
        let site = try deployed()
        // Its own: what swapctl writes is nobody else's to read.
        let owner = try ChildProcess("/bin/chown", ["-R", "65534", site.service.directory])
        #expect(try owner.waitForExit() == .exited(0))
        let run = try ChildProcess(
            "/usr/bin/env",
            [
                "-u", "XDG_RUNTIME_DIR", "-u", "SUCCESSION_RUNTIME_DIRECTORY", "setpriv",
                "--reuid", "65534", "--regid", "65534", "--clear-groups", Binaries.swapctl,
                "history", site.service.name, "--current", site.current,
            ])
        #expect(try run.waitForExit() == .exited(0), "\(run.standardError)")
        #expect(run.standardOutput.contains("committed"), "\(run.standardOutput)")
    }
}
