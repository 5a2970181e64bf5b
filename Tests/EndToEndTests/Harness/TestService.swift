// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem

/// A service with a runtime directory of its own and the tools to look at it.
///
/// Whatever of it still runs is killed, by pid, when the test lets it go.
final class TestService {
    let name: String
    let directory: String
    let runtime: String
    /// Processes that are to live as long as this.
    var companions: [ChildProcess] = []

    init() throws {
        name = "t\(UInt32.random(in: 0 ... .max))"
        directory = NSTemporaryDirectory() + "/succession-\(name)"
        runtime = directory + "/run"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
    }

    deinit {
        // A generation that drains starts another one in the place of one that was killed.
        for _ in 0..<3 {
            for pid in DescriptorAudit.processes(mentioning: name) {
                try? ProcessHandle.open(pid).signal(Signals.kill)
            }
        }
        try? FileManager.default.removeItem(atPath: directory)
    }

    var environment: [String: String] { ["SUCCESSION_RUNTIME_DIRECTORY": runtime] }

    /// Starts the fixture server and waits until it serves.
    func startFixture(_ options: [String], environment extra: [String: String] = [:]) throws
        -> ChildProcess
    {
        let process = try ChildProcess(
            Binaries.fixture, ["serve", "--service", name] + options,
            environment: environment.merging(extra) { $1 })
        companions.append(process)
        _ = try process.line("ready 1 ")
        return process
    }

    /// Runs swapctl to its end.
    func swapctl(_ arguments: [String], within seconds: Double = 60) throws -> SwapctlRun {
        let process = try startSwapctl(arguments)
        let status = try process.waitForExit(within: seconds)
        return SwapctlRun(
            status: status, standardOutput: process.standardOutput,
            standardError: process.standardError)
    }

    func startSwapctl(_ arguments: [String]) throws -> ChildProcess {
        try ChildProcess(Binaries.swapctl, arguments, environment: environment)
    }

    /// Upgrades to the fixture with other options; `--json` is given.
    func upgradeFixture(_ options: [String], swapctl extra: [String] = []) throws -> SwapctlRun {
        try swapctl(
            ["upgrade", name, "--json"] + extra
                + ["--", Binaries.fixture, "serve", "--service", name] + options)
    }

    /// The status of the generation that serves.
    func servingStatus() throws -> [String: Any] {
        let run = try swapctl(["status", name, "--json"])
        for object in run.objects where object["state"] as? String == "serving" { return object }
        throw ChildProcess.TimedOut(
            description: "nobody serves: \(run.standardOutput) \(run.standardError)")
    }

    /// Names in the runtime directory.
    func files() -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: runtime)) ?? []).sorted()
    }
}

struct SwapctlRun {
    let status: ExitStatus
    let standardOutput: String
    let standardError: String

    var objects: [[String: Any]] {
        standardOutput.split(separator: "\n").compactMap {
            (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any]
        }
    }

    /// The last object: the result or the error.
    var result: [String: Any] { objects.last ?? [:] }
    var code: String? { result["code"] as? String }
    var reason: String { (result["reason"] ?? result["message"]) as? String ?? "" }
    var pid: Int32? { (result["pid"] as? Int).map(Int32.init) }
    var generation: Int? { result["generation"] as? Int }
}

extension TestService {
    /// Returns when a generation serves: waits as the script of an operator does.
    func waitUntilServing(within seconds: Int = 20) throws {
        let run = try swapctl(
            ["status", name, "--wait", "\(seconds)s"], within: Double(seconds) + 10)
        guard run.status == .exited(0) else {
            throw ChildProcess.TimedOut(
                description: "nobody serves \(name) after \(seconds) s: \(run.standardError)")
        }
    }
}
