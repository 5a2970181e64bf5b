// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// A server and an operator in different pid namespaces: the number by which a process knows itself
/// is another one's elsewhere.
@Suite(
    .serialized,
    .enabled(if: getuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/bin/unshare")))
struct ForeignNamespaceTests {
    /// A server in a namespace of its own, with a number that is low there.
    private func startInside(_ service: TestService, _ command: [String]) throws -> ChildProcess {
        let server = try ChildProcess(
            "/usr/bin/unshare", ["--pid", "--fork", "--kill-child"] + command,
            environment: service.environment)
        _ = try server.line("ready 1 ")
        return server
    }

    private func options(_ service: TestService) -> [String] {
        ["serve", "--service", service.name, "--listen", "echo=tcp:127.0.0.1:0"]
    }

    @Test func status_tellsThePidAsItIsHere() throws {
        let service = try TestService()
        let server = try startInside(service, [Binaries.fixture] + options(service))
        let status = try service.servingStatus()
        let inside = try #require(status["pid"] as? Int)
        let pid = try #require(status["peer_pid"] as? Int)
        #expect(inside < 100 && inside != pid)
        let program = try Syscall.readLink("/proc/\(pid)/exe")
        #expect(program == (try Syscall.realPath(Binaries.fixture)))
        let text = try service.swapctl(["status", service.name])
        #expect(text.standardOutput.contains(" \(pid) "), "\(text)")
        #expect(text.standardOutput.contains("pid \(inside) in its own pid namespace"), "\(text)")
        // It waits for that process, and for no other.
        let drain = try service.swapctl(["drain", service.name, "--json"])
        #expect(drain.status == .exited(0), "\(drain)")
        #expect(try server.waitForExit() == .exited(0))
    }

    @Test func status_ofAProcessThatCannotBeSeen_doesNotGuess() throws {
        let service = try TestService()
        let server = try startInside(service, [Binaries.fixture] + options(service))
        let run = try ChildProcess(
            "/usr/bin/unshare",
            [
                "--pid", "--fork", "--mount-proc", Binaries.swapctl, "status", service.name,
                "--json",
            ],
            environment: service.environment)
        #expect(try run.waitForExit() == .exited(0), "\(run.standardError)")
        #expect(run.standardOutput.contains("\"peer_pid\":null"), "\(run.standardOutput)")
        #expect(server.handle.isAlive())
    }

    /// Seen from a third namespace the low number may be swapctl itself.
    @Test func prune_fromANamespaceInWhichTheServerIsNotSeen_removesNothing() throws {
        let site = try WatchedSite()
        for version in ["1.0", "2.0", "3.0"] { try site.makeRelease(version) }
        try site.name("3.0")
        let server = try startInside(
            site.service, [site.release("app.1.0")] + options(site.service))
        let run = try ChildProcess(
            "/usr/bin/unshare",
            [
                "--pid", "--fork", "--mount-proc", Binaries.swapctl, "release", "prune", "--keep",
                "1",
            ]
                + ["--current", site.current, "--service", site.service.name, "--json"],
            environment: site.service.environment)
        #expect(try run.waitForExit() == .exited(77), "\(run.standardOutput) \(run.standardError)")
        for version in ["1.0", "2.0", "3.0"] {
            #expect(FileManager.default.fileExists(atPath: site.release("app.\(version)")))
        }
        #expect(server.handle.isAlive())
    }
}
