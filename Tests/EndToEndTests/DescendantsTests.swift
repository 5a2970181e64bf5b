// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// What a successor has started ends with it when it fails, and not when it serves.
@Suite(.serialized) struct DescendantsTests {
    /// Starts helpers as scripts do, tells their pids in a file, and goes on as `rest` says.
    private func script(_ service: TestService, _ rest: String) throws -> String {
        let path = service.directory + "/start.sh"
        let text = """
            #!/bin/sh
            sleep 1000 & echo $! >> \(service.directory)/pids
            setsid sleep 1000 < /dev/null > /dev/null 2>&1 & echo $! >> \(service.directory)/pids
            (setsid sh -c 'echo $$ >> \(service.directory)/pids; exec sleep 1000' &)
            until [ "$(wc -l < \(service.directory)/pids)" = 3 ]; do :; done
            \(rest)
            """
        try #require(
            FileManager.default.createFile(
                atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o755]))
        return path
    }

    private func helpers(_ service: TestService) throws -> [ProcessHandle] {
        try String(contentsOfFile: service.directory + "/pids", encoding: .utf8)
            .split(separator: "\n").compactMap { Int32($0) }.compactMap {
                try? ProcessHandle.open($0)
            }
    }

    @Test(arguments: ["exit 3", "exec sleep 1000", "sleep 1000"])
    func successor_thatFails_leavesNoHelper(rest: String) throws {
        let service = try TestService()
        let old = try service.startFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        let path = try script(service, rest)
        let run = try service.swapctl([
            "upgrade", service.name, "--json", "--timeout", "1s", "--", path,
        ])
        #expect(run.status == .exited(1), "\(run)")
        #expect(run.pid == old.processID)
        let deadline = Syscall.monotonicNanoseconds() + 5_000_000_000
        // One that is gone already cannot be opened.
        for helper in try helpers(service) {
            #expect(helper.waitForExit(deadline: deadline), "\(helper.processID)")
        }
    }

    @Test func successor_thatServes_keepsItsHelpersThroughAFailedUpgrade() throws {
        let service = try TestService()
        let listen = ["--listen", "echo=tcp:127.0.0.1:0"]
        let old = try service.startFixture(listen)
        let fixture = ([Binaries.fixture, "serve", "--service", service.name] + listen)
            .map { "'\($0)'" }.joined(separator: " ")
        let path = try script(service, "exec \(fixture)")
        let good = try service.swapctl(["upgrade", service.name, "--json", "--", path])
        #expect(good.status == .exited(0), "\(good)")
        try old.waitForExit()
        let bad = try service.swapctl(["upgrade", service.name, "--json", "--", "/bin/false"])
        #expect(bad.status == .exited(1), "\(bad)")
        let helpers = try helpers(service)
        #expect(helpers.count == 3)
        // The other generation's are looked for and ended within this time, if they are at all.
        let deadline = Syscall.monotonicNanoseconds() + 500_000_000
        for helper in helpers {
            #expect(!helper.waitForExit(deadline: deadline), "\(helper.processID)")
            try? helper.signal(Signals.kill)
        }
    }
}
