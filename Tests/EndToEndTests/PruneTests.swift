// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// `swapctl release prune` when it cannot see who runs what.
@Suite(.serialized) struct PruneTests {
    private static let canUnshare = geteuid() == 0

    /// Each is process 1 of a pid namespace of its own: what the server says of itself is the number
    /// of the one who asks.
    @Test(.enabled(if: canUnshare))
    func prune_whenTheServerIsInAnotherPidNamespace_removesNothing() throws {
        let site = try WatchedSite()
        for version in ["1.0", "2.0", "3.0"] { try site.makeRelease(version) }
        try site.name("3.0")
        let server = try ChildProcess(
            "/usr/bin/unshare",
            ["--pid", "--fork", "--kill-child", site.release("app.1.0")]
                + site.options, environment: site.service.environment)
        try site.service.waitUntilServing()
        let prune = ["release", "prune", "--keep", "1", "--service", site.service.name, "--json"]
        let process = try ChildProcess(
            "/usr/bin/unshare",
            ["--pid", "--fork", "--mount-proc", Binaries.swapctl] + prune
                + ["--current", site.current], environment: site.service.environment)
        let status = try process.waitForExit()
        #expect(status == .exited(77), "\(process.standardOutput) \(process.standardError)")
        #expect(
            process.standardOutput.contains("another pid namespace"), "\(process.standardOutput)")
        #expect(FileManager.default.fileExists(atPath: site.release("app.1.0")))
        // From outside it can be seen, and what it runs is kept.
        let run = try site.service.swapctl(prune + ["--current", site.current])
        #expect(run.status == .exited(0), "\(run)")
        #expect(run.result["removed"] as? [String] == ["app.2.0", "cfg.1.0", "cfg.2.0"], "\(run)")
        withExtendedLifetime(server) {}
    }

    /// In a mount namespace where the releases lie elsewhere only the file itself tells.
    @Test(.enabled(if: canUnshare))
    func prune_whenTheServerSeesTheReleasesElsewhere_removesNothing() throws {
        let site = try WatchedSite()
        for version in ["1.0", "2.0", "3.0"] { try site.makeRelease(version) }
        try site.name("3.0")
        let elsewhere = site.service.directory + "/elsewhere"
        try FileManager.default.createDirectory(
            atPath: elsewhere, withIntermediateDirectories: true)
        let script = """
            mount --bind '\(site.directory)' '\(elsewhere)'; mount -t tmpfs none '\(site.directory)'
            exec '\(elsewhere)/release/app.1.0' "$@"
            """
        let server = try ChildProcess(
            "/usr/bin/unshare",
            ["--mount", "--propagation", "private", "/bin/sh", "-ec", script, "sh"] + site.options,
            environment: site.service.environment)
        try site.service.waitUntilServing()
        let run = try site.service.swapctl([
            "release", "prune", "--keep", "1", "--service", site.service.name, "--json",
            "--current", site.current,
        ])
        #expect(run.status == .exited(77), "\(run)")
        #expect(FileManager.default.fileExists(atPath: site.release("app.1.0")))
        withExtendedLifetime(server) {}
    }
}
