// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import SystemPackage
import Testing

/// Standard error is a pipe that is full, and nobody reads it.
@Suite(.serialized) struct UnreadLogTests {
    private let service: TestService
    private let path: String
    private let pipe: OwnedDescriptor

    init() throws {
        service = try TestService()
        path = service.directory + "/log"
        guard mkfifo(path, 0o600) == 0 else { throw Errno(rawValue: errno) }
        pipe = try Syscall.open(path, [.readWrite, .nonBlocking])
        while (try? Syscall.writeAll(pipe.rawValue, [UInt8](repeating: 7, count: 4_096))) != nil {}
    }

    private func start(_ listen: String) throws -> ChildProcess {
        try ChildProcess(
            "/bin/sh",
            [
                "-c", "exec \"$0\" \"$@\" 2>'\(path)'", Binaries.fixture, "serve", "--service",
                service.name, "--listen", listen,
            ], environment: service.environment)
    }

    /// The successor has a line to copy: that nobody took `old`.
    @Test func upgrade_whenNobodyReadsTheLog_isDone() throws {
        let old = try start("old=unix:\(service.directory)/old.sock")
        _ = try old.line("ready 1 ")
        let run = try upgrade(["--listen", "echo=tcp:127.0.0.1:0"])
        #expect(try old.waitForExit() == .exited(0))
        #expect(try EchoClient(port: try service.port("echo")).greet() == run.pid)
        // What writes the rest blocks, and blocks nobody.
        let next = try upgrade(["--listen", "new=unix:\(service.directory)/new.sock"])
        #expect(next.generation == 3)
    }

    /// What there was no room for comes once there is.
    @Test func capturedLines_whenTheLogIsReadLater_arrive() throws {
        let old = try start("old=unix:\(service.directory)/old.sock")
        _ = try old.line("ready 1 ")
        _ = try upgrade(["--listen", "echo=tcp:127.0.0.1:0"])
        var text: [UInt8] = []
        while firstRange(of: "closed 'old'", in: text) == nil {
            let isReady = try Syscall.poll(
                pipe.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 10_000)
            try #require(isReady, "\(String(decoding: text.suffix(500), as: UTF8.self))")
            text += try Syscall.read(pipe.rawValue, count: 65_536)
        }
    }

    private func upgrade(_ options: [String]) throws -> SwapctlRun {
        let run = try service.upgradeFixture(options, swapctl: ["--timeout", "5s"])
        #expect(run.status == .exited(0), "\(run)")
        return run
    }

    private func firstRange(of line: String, in text: [UInt8]) -> Range<Int>? {
        text.firstRange(of: Array(line.utf8))
    }
}
