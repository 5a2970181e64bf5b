// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// A service whose releases lie in a directory of its own, `app`.
final class WatchedSite {
    let service: TestService
    let directory: String
    var current: String { directory + "/current.conf" }
    /// The first server, which is killed when it is let go.
    private var server: ChildProcess?
    /// Options of the server, behind its program.
    let options: [String]

    init(_ options: [String]? = nil) throws {
        service = try TestService()
        let made = service.directory + "/app"
        try FileManager.default.createDirectory(
            atPath: made + "/release", withIntermediateDirectories: true)
        directory = try Syscall.realPath(made)
        self.options =
            options ?? ["serve", "--service", service.name, "--listen", "echo=tcp:127.0.0.1:0"]
    }

    // MARK: - Releases

    func release(_ name: String) -> String { "\(directory)/release/\(name)" }

    /// A server and a configuration, `app.VERSION` and `cfg.VERSION`.
    func makeRelease(_ version: String, program: String = Binaries.fixture) throws {
        try FileManager.default.linkItem(
            atPath: URL(filePath: program).resolvingSymlinksInPath().path,
            toPath: release("app.\(version)"))
        try write(release("cfg.\(version)"), "version = \(version)\n")
    }

    /// A program that ends at once.
    func makeBrokenRelease(_ version: String) throws {
        try write(
            release("app.\(version)"), "#!/bin/sh\necho 'cannot read the tea leaves' >&2\nexit 3\n",
            mode: 0o755)
        try write(release("cfg.\(version)"), "version = \(version)\n")
    }

    func write(_ path: String, _ text: String, mode: Int = 0o644) throws {
        let isMade = FileManager.default.createFile(
            atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
        try #require(isMade, "\(path)")
    }

    func currentText(_ version: String) -> String {
        "{\"bin.file\": \"\(release("app.\(version)"))\", \"note\": [1],\n"
            + " \"cfg.file\": \"\(release("cfg.\(version)"))\"}\n"
    }

    /// Names a version as an editor does: beside the file, and over it.
    func name(_ version: String) throws {
        let temporary = directory + "/current.conf~"
        try write(temporary, currentText(version))
        try Syscall.rename(temporary, current)
    }

    // MARK: - Processes

    /// Starts the server of a version by the link to it.
    func startServer(_ version: String) throws -> ChildProcess {
        try Syscall.symbolicLink(to: release("app.\(version)"), at: directory + "/app.bin")
        try Syscall.symbolicLink(to: release("cfg.\(version)"), at: directory + "/app.cfg")
        let server = try ChildProcess(
            directory + "/app.bin", options, environment: service.environment)
        try service.waitUntilServing()
        self.server = server
        return server
    }

    /// Starts the watch and returns when it has come to rest.
    func startWatch(
        _ extra: [String] = [], command: [String] = [],
        environment: [String: String] = [:]
    ) throws -> WatchProcess {
        let watch = try WatchProcess(
            ChildProcess(
                Binaries.swapctl,
                ["watch", service.name, "--current", current, "--json", "--patience", "200ms"]
                    + extra + (command.isEmpty ? [] : ["--"] + command),
                environment: service.environment.merging(environment) { $1 }))
        return watch
    }

    func history() throws -> [[String: Any]] {
        try service.swapctl(
            ["history", service.name, "--current", current, "--json", "-n", "1000"]
        ).objects
    }

    // MARK: - State

    func link(_ name: String) throws -> String { try Syscall.readLink(directory + "/" + name) }

    /// Links, `current.conf`, the journal and the process that serves all say the same.
    func expectAgreement(
        _ version: String, generation: Int? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let program = release("app.\(version)")
        let text = try String(contentsOfFile: current, encoding: .utf8)
        let named =
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
        #expect(named["bin.file"] as? String == program, sourceLocation: sourceLocation)
        #expect(
            named["cfg.file"] as? String == release("cfg.\(version)"),
            sourceLocation: sourceLocation)
        #expect(named["note"] as? [Int] == [1], sourceLocation: sourceLocation)
        #expect(try link("app.bin") == program, sourceLocation: sourceLocation)
        #expect(
            try link("app.cfg") == release("cfg.\(version)"), sourceLocation: sourceLocation)
        let status = try service.servingStatus()
        let pid = try #require(status["pid"] as? Int)
        #expect(try Syscall.readLink("/proc/\(pid)/exe") == program, sourceLocation: sourceLocation)
        if let generation {
            #expect(status["generation"] as? Int == generation, sourceLocation: sourceLocation)
        }
        let last = try history().last { $0["result"] as? String == "committed" }
        let to = last?["to"] as? [String: Any]
        #expect(to?["bin"] as? String == program, "\(last ?? [:])", sourceLocation: sourceLocation)
        #expect(last?["pid"] as? Int == pid, "\(last ?? [:])", sourceLocation: sourceLocation)
        #expect(
            last?["generation"] as? Int == status["generation"] as? Int,
            sourceLocation: sourceLocation)
        #expect(leftovers() == [], sourceLocation: sourceLocation)
    }

    /// Files that belong to a switch under way.
    func leftovers() -> [String] {
        [directory, directory + "/release", directory + "/.succession"].flatMap { path in
            ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter {
                $0.hasPrefix(".swapctl") || $0 == "intent"
            }
        }
    }
}

/// A running `swapctl watch --json`.
final class WatchProcess {
    let process: ChildProcess
    /// What was told until it first came to rest.
    private(set) var beginning: [[String: Any]] = []

    init(_ process: ChildProcess) throws {
        self.process = process
        while true {
            let object = try next()
            beginning.append(object)
            if object["event"] as? String == "watching" { return }
        }
    }

    /// The next object.
    func next(within seconds: Double = 30) throws -> [String: Any] {
        let line = try process.line("{", within: seconds)
        return (try JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any] ?? [:]
    }

    /// The next object that tells of this event.
    func next(event: String, within seconds: Double = 30) throws -> [String: Any] {
        while true {
            let object = try next(within: seconds)
            if object["event"] as? String == event { return object }
        }
    }

    /// The next result.
    func result() throws -> [String: Any] { try next(event: "result") }

    /// Ends the watch, and returns what it told since the last question.
    func stop() throws -> [[String: Any]] {
        try process.handle.signal(Signals.terminate)
        #expect(try process.waitForExit() == .exited(0), "\(process.standardError)")
        return process.standardOutput.split(separator: "\n").compactMap {
            (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any]
        }
    }
}
