// SPDX-License-Identifier: Apache-2.0

import Glibc
import SuccessionSystem
import SystemPackage
import Testing

/// A program that does nothing but stay, so that it can be looked at; it ends with this object.
final class RunningProgram {
    let process: ProcessHandle
    private let input: OwnedDescriptor
    private let output: OwnedDescriptor

    /// Returns when the program runs: right after spawn the kernel may not have closed all it is to
    /// close.
    init(
        descriptors: [(source: CInt, target: CInt)] = [],
        environment: [String] = ProcessEnvironment.snapshot(), setsListenPID: Bool = false,
        newSession: Bool = false, asSibling: Bool = false, workingDirectory: CInt? = nil,
        ignoredSignals: IgnoredSignals = IgnoredSignals()
    ) throws {
        let toProgram = try Syscall.pipe(nonBlocking: false)
        let fromProgram = try Syscall.pipe(nonBlocking: false)
        let streams: [(source: CInt, target: CInt)] = [
            (source: toProgram.read.rawValue, target: 0),
            (source: fromProgram.write.rawValue, target: 1),
        ]
        var request = SpawnRequest(
            path: "/bin/cat", arguments: ["cat"], environment: environment,
            descriptors: streams + descriptors, setsListenPID: setsListenPID,
            newSession: newSession, asSibling: asSibling, workingDirectory: workingDirectory)
        request.ignoredSignals = ignoredSignals
        process = try request.spawn()
        (input, output) = (toProgram.write, fromProgram.read)
        withExtendedLifetime((toProgram, fromProgram)) {}
        try Syscall.writeAll(input.rawValue, [1])
        let isUp = try Syscall.poll(
            output.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 10_000)
        try #require(isUp)
        #expect(try Syscall.read(output.rawValue, count: 1) == [1])
    }

    deinit {
        // Not by end-of-file: a test may have given the program its own input to hold.
        try? process.signal(SIGKILL)
        _ = process.waitForExit(deadline: deadline(seconds: 10))
        _ = try? process.reap()
    }

    var pid: Int32 { process.processID }

    func target(of descriptor: CInt) throws -> String {
        try Syscall.readLink("/proc/\(pid)/fd/\(descriptor)")
    }

    func status() throws -> [String: String] {
        try statusFields(of: pid)
    }

    func environment() throws -> [String] {
        try Syscall.readFile("/proc/\(pid)/environ").split(separator: 0)
            .map { String(decoding: $0, as: UTF8.self) }
    }
}

/// The lines of `/proc/PID/status`.
func statusFields(of pid: Int32) throws -> [String: String] {
    let text = String(decoding: try Syscall.readFile("/proc/\(pid)/status"), as: UTF8.self)
    var fields: [String: String] = [:]
    for line in text.split(separator: "\n") {
        guard let colon = line.firstIndex(of: ":") else { continue }
        fields[String(line[..<colon])] = String(
            line[line.index(after: colon)...].drop { $0 == "\t" || $0 == " " })
    }
    return fields
}
