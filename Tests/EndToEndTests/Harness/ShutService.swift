// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import SystemPackage
import Testing

/// A service whose generations, and swapctl if wanted, run in surroundings where something is refused.
final class ShutService {
    let service: TestService
    let port: UInt16
    private let shut: Shut
    /// What swapctl runs in.
    var shutOperator: Shut
    /// What is started as the server and as its successors.
    var program = Binaries.fixture
    /// The one that was started by the test.
    private(set) var started: ChildProcess?
    /// Its number as it says itself, which in a pid namespace is another one.
    private(set) var first: Int32 = 0

    init(_ shut: Shut, of service: TestService? = nil) throws {
        self.service = try service ?? TestService()
        port = try FreePort.find()
        self.shut = shut
        shutOperator = shut
        try FileManager.default.createDirectory(
            atPath: self.service.runtime, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        if let index = shut.options.firstIndex(of: "--user"),
            let user = UInt32(shut.options[index + 1])
        {
            for path in [self.service.directory, self.service.runtime]
            where chown(path, user, user) != 0 {
                throw Errno(rawValue: errno)
            }
        }
    }

    var listen: [String] {
        [
            "--listen", "echo=tcp:127.0.0.1:\(port)",
            "--listen", "local=unix:\(service.directory)/echo.sock",
        ]
    }

    /// Has the servers run a copy of the program that nobody but root may read.
    func hideProgram() throws {
        program = service.directory + "/succession-fixture"
        let original = URL(filePath: Binaries.fixture).resolvingSymlinksInPath().path
        try FileManager.default.copyItem(atPath: original, toPath: program)
        if chmod(program, 0o111) != 0 { throw Errno(rawValue: errno) }
    }

    /// Starts the first generation and waits until it serves.
    func start(
        _ options: [String] = [], environment extra: [String: String] = [:],
        passing descriptors: [(source: CInt, target: CInt)] = []
    ) throws {
        let process = try ChildProcess(
            Binaries.sandbox,
            shut.placed(in: service.directory) + ["--", program]
                + ["serve", "--service", service.name] + listen + options,
            environment: service.environment.merging(extra) { $1 }, passing: descriptors)
        started = process
        let line = try process.line("ready 1 ")
        first = try #require(Int32(line.dropFirst("ready 1 ".count)))
    }

    func swapctl(_ arguments: [String]) throws -> SwapctlRun {
        try run(shutOperator, [Binaries.swapctl] + arguments)
    }

    /// Has swapctl run where the first generation is.
    func shutOperatorIn() throws {
        shutOperator = Shut("--join", "\(try #require(started).processID)")
    }

    /// Runs a shell script where swapctl runs.
    func shell(_ script: String) throws -> SwapctlRun {
        try run(shutOperator, ["/bin/sh", "-c", script])
    }

    /// Sets a limit of a process that runs.
    func limit(_ limit: String, of pid: Int32) throws {
        var options = ["--limit-of", "\(pid)", "--limit", limit]
        if let index = shut.options.firstIndex(of: "--user") {
            options += shut.options[index...(index + 1)]
        }
        let run = try run(Shut(options), ["/bin/true"])
        #expect(run.status == .exited(0), "\(run)")
    }

    private func run(_ shut: Shut, _ command: [String]) throws -> SwapctlRun {
        let process = try ChildProcess(
            Binaries.sandbox, shut.placed(in: service.directory) + ["--"] + command,
            environment: service.environment)
        let status = try process.waitForExit()
        return SwapctlRun(
            status: status, standardOutput: process.standardOutput,
            standardError: process.standardError)
    }

    /// Upgrades to the fixture with these options more, and does not wait for the predecessor.
    ///
    /// - Parameter successor: what it is shut into on top of what holds for its predecessor.
    func upgrade(
        _ options: [String] = [], swapctl extra: [String] = [], into successor: Shut? = nil
    ) throws -> SwapctlRun {
        let shutting = successor.map { [Binaries.sandbox] + $0.options + ["--"] } ?? []
        return try swapctl(
            ["upgrade", service.name, "--json", "--detach"] + extra
                + ["--"] + shutting + [program, "serve", "--service", service.name] + listen
                + options)
    }

    /// Numbers, as they are here, of the servers that run.
    func servers() -> [Int32] {
        DescriptorAudit.processes(mentioning: service.name).filter { pid in
            let program = try? FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/\(pid)/exe")
            return program?.hasSuffix("/succession-fixture") == true
        }
    }

    /// The number here of a server that calls itself by another one.
    func outside(_ number: Int32?) throws -> Int32 {
        let number = try #require(number)
        return try #require(
            servers().first { pid in
                let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
                let line = status?.split(separator: "\n").first { $0.hasPrefix("NSpid:") }
                return line?.split(whereSeparator: \.isWhitespace).last == "\(number)"
            }, "no server \(number) among \(servers())")
    }

    /// Waits for the end of a server, also of another process's child.
    func awaitEnd(_ pid: Int32) throws {
        guard let handle = try? ProcessHandle.open(pid) else { return }
        let deadline = Syscall.monotonicNanoseconds() + 20_000_000_000
        if let started, started.processID == pid {
            try started.waitForExit(within: 20)
        } else if !handle.waitForExit(deadline: deadline) {
            throw ChildProcess.TimedOut(description: "\(pid) has not left: \(log)")
        }
    }

    var log: String { (started?.standardOutput ?? "") + (started?.standardError ?? "") }
}
