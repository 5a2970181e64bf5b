// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// The lines that verbs write with `--json`, each against the schema in docs/schema that is for it.
@Suite(.serialized) struct OutputSchemaTests {
    private static let listen = ["--listen", "echo=tcp:127.0.0.1:0", "--reload", "accept"]

    /// The schemas that the lines follow; a line that follows none is an issue.
    private func schemas(_ output: String) throws -> [String] {
        try output.split(separator: "\n").compactMap { line in
            let (name, problem) = try OutputSchema.check(String(line))
            #expect(name != nil, "\(problem)")
            return name
        }
    }

    private func schemas(_ run: SwapctlRun, exitStatus: Int32 = 0) throws -> [String] {
        #expect(run.status == .exited(exitStatus), "\(run)")
        return try schemas(run.standardOutput)
    }

    @Test func verbsOfAService_followTheirSchemas() throws {
        let service = try TestService()
        let name = service.name
        _ = try service.startFixture(Self.listen)
        #expect(try schemas(service.swapctl(["status", name, "--json"])) == ["status"])
        #expect(try schemas(service.swapctl(["reload", name, "--json"])) == ["result-reload"])
        let upgrade = try schemas(service.upgradeFixture(Self.listen))
        #expect(Set(upgrade).subtracting(["draining"]) == ["step", "drained", "result-upgrade"])
        #expect(upgrade.last == "result-upgrade")
        let failed = try service.swapctl(["upgrade", name, "--json", "--", "/bin/false"])
        #expect(try schemas(failed, exitStatus: 1).last == "result-upgrade")
        #expect(
            try schemas(service.swapctl(["abort", name, "--json"]), exitStatus: 1) == ["error"])
        let drain = try service.swapctl(["drain", name, "--json", "--yes"])
        #expect(Set(try schemas(drain)).isSubset(of: ["draining", "drained", "result-drain"]))
        #expect(try schemas(drain).last == "result-drain")
        #expect(
            try schemas(service.swapctl(["status", name, "--json"]), exitStatus: 69) == ["error"])
    }

    @Test func status_ofGenerationsThatDoNotAnswer_followsItsSchema() throws {
        let service = try TestService()
        let server = try service.startFixture(Self.listen)
        try server.stop()
        let run = try service.swapctl(["status", service.name, "--json"])
        #expect(try schemas(run, exitStatus: 69) == ["status"])
        #expect(run.result["state"] as? String == "silent")
        try server.handle.signal(Signals.kill)
        try server.waitForExit()
        let stale = try service.swapctl(["status", service.name, "--json"])
        #expect(try schemas(stale, exitStatus: 69) == ["status"])
        #expect(stale.result["state"] as? String == "stale")
    }

    @Test func abort_followsItsSchema() throws {
        let service = try TestService()
        _ = try service.startFixture(Self.listen)
        let fifo = try Fifo(in: service.directory)
        defer { withExtendedLifetime(fifo) {} }
        let upgrade = try service.startSwapctl(
            [
                "upgrade", service.name, "--json", "--timeout", "50s", "--", Binaries.fixture,
                "serve", "--service", service.name,
            ] + Self.listen + ["--fault", "hold:send ready:\(fifo.path)"])
        try fifo.waitUntilReached()
        #expect(
            try schemas(service.swapctl(["abort", service.name, "--json"])) == ["result-abort"])
        #expect(try upgrade.waitForExit() == .exited(1))
    }

    @Test func stop_followsItsSchema() throws {
        let service = try TestService()
        _ = try service.startFixture(Self.listen)
        let run = try service.swapctl(["stop", service.name, "--json"])
        #expect(try schemas(run).last == "result-drain")
    }

    @Test func units_followTheirSchema() throws {
        let service = try TestService()
        let run = try service.swapctl([
            "units", "web", "--exec", "/srv/web", "--listen", "http=tcp:8080", "--json",
        ])
        #expect(try schemas(run) == ["unit", "unit"])
        let bad = try service.swapctl(["units", "web", "--exec", "web", "--json"])
        #expect(try schemas(bad, exitStatus: 64) == ["error"])
    }

    @Test func verbsOfReleases_followTheirSchemas() throws {
        let site = try WatchedSite()
        for version in ["1.0", "2.0", "3.0"] { try site.makeRelease(version) }
        try site.name("1.0")
        _ = try site.startServer("1.0")
        let place = ["--current", site.current, "--json"]
        func run(_ words: [String], _ exitStatus: Int32 = 0) throws -> [String] {
            try schemas(site.service.swapctl(words + place), exitStatus: exitStatus)
        }
        let name = site.service.name
        let deploy = try run(["deploy", name, "2.0"])
        #expect(deploy.last == "result-switch")
        #expect(try run(["rollback", name]).last == "result-switch")
        #expect(Set(try run(["history", name])) == ["history"])
        #expect(Set(try run(["release", "list"])) == ["release"])
        #expect(try run(["release", "use", "3.0"]) == ["result-use"])
        #expect(try run(["release", "prune", "--keep", "1", "--dry-run"]) == ["result-prune"])
        let program = site.service.directory + "/app.4.0"
        try site.write(program, "#!/bin/sh\n", mode: 0o755)
        #expect(try run(["release", "add", program]) == ["result-add"])
        let status = try schemas(site.service.swapctl(["status", name, "--json"]))
        #expect(status == ["status", "site"])
    }

    @Test func watch_followsItsSchemas() throws {
        let site = try WatchedSite()
        for version in ["1.0", "2.0"] { try site.makeRelease(version) }
        try site.name("1.0")
        _ = try site.startServer("1.0")
        let watch = try ChildProcess(
            Binaries.swapctl,
            [
                "watch", site.service.name, "--current", site.current, "--json", "--patience",
                "200ms",
            ],
            environment: site.service.environment)
        var found: [String] = []
        while found.last != "watching" { found += try schemas(try watch.line("")) }
        try site.name("2.0")
        while found.last != "result-switch" { found += try schemas(try watch.line("")) }
        #expect(found.contains("step"))
        try watch.handle.signal(Signals.terminate)
        #expect(try watch.waitForExit() == .exited(0))
    }

    // MARK: - The schemas themselves

    @Test func everySchema_rejectsAKeyThatItDoesNotDescribe() throws {
        for (name, line) in Self.examples {
            #expect(try OutputSchema.check(line).name == name)
            let more = line.dropLast() + #","undocumented":1}"#
            let (found, problem) = try OutputSchema.check(String(more))
            #expect(found == nil, "\(name)")
            #expect(problem.hasPrefix("\(name).json: "), "\(problem)")
        }
    }

    @Test func aKeyThatIsMissing_isRejected() throws {
        #expect(try OutputSchema.check(#"{"event":"drained","generation":1}"#).name == nil)
        #expect(
            try OutputSchema.check(#"{"event":"drained","generation":1,"cut":null}"#).name == nil)
        #expect(try OutputSchema.check(#"{"event":"unheard-of"}"#).name == nil)
    }

    private static let examples = [
        "step": #"{"event":"step","step":"start","status":"ok","elapsed_us":5,"detail":""}"#,
        "draining": #"{"event":"draining","generation":1,"connections":2,"remaining_ms":30}"#,
        "drained": #"{"event":"drained","generation":1,"cut":0}"#,
        "status":
            #"{"event":"status","service":"web","runtime_directory":"/run/web","generation":1,"state":"stale"}"#,
        "error":
            #"{"event":"error","service":null,"code":"usage","message":"","exit_code":64,"generation":null,"pid":null}"#,
        "result-reload":
            #"{"event":"result","verb":"reload","service":"web","result":"reloaded","generation":1,"pid":2,"elapsed_us":3,"exit_code":0}"#,
        "warning": #"{"event":"warning","message":""}"#, "note": #"{"event":"note","message":""}"#,
        "unit": #"{"event":"unit","name":"web.service","text":"","path":null}"#,
        "watching": #"{"event":"watching","current":"/srv/current.conf","as":null}"#,
        "site": #"{"event":"site","directory":"/srv","as_uid":null,"problem":null}"#,
        "result-prune":
            #"{"event":"result","verb":"prune","result":"pruned","removed":["1"],"kept":{"2":["serving"]},"exit_code":0}"#,
    ]
}
