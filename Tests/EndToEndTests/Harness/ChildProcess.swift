// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import SystemPackage

/// A real process with its standard streams on pipes; it is killed when the test lets it go.
final class ChildProcess {
    struct TimedOut: Error, CustomStringConvertible {
        let description: String
    }

    let handle: ProcessHandle
    private let output: OwnedDescriptor
    private let errors: OwnedDescriptor
    private var input: OwnedDescriptor?
    private var outputBuffer: [UInt8] = []
    private var errorBuffer: [UInt8] = []
    private(set) var status: ExitStatus?
    /// What a swapctl with `--json` has written and was not checked yet; nil for other processes.
    private var unchecked: [UInt8]?

    var processID: Int32 { handle.processID }
    /// What it has written so far, as far as it has been read.
    var standardError: String { String(decoding: errorBuffer, as: UTF8.self) }
    var standardOutput: String { String(decoding: outputBuffer, as: UTF8.self) }

    init(
        _ path: String, _ arguments: [String] = [], environment: [String: String] = [:],
        passing descriptors: [(source: CInt, target: CInt)] = [], user: UserRights? = nil
    ) throws {
        let (outRead, outWrite) = try Syscall.pipe(nonBlocking: false)
        let (errRead, errWrite) = try Syscall.pipe(nonBlocking: false)
        let (inRead, inWrite) = try Syscall.pipe(nonBlocking: false)
        var variables = ProcessInfo.processInfo.environment
        variables["SWIFT_BACKTRACE"] = "enable=no"
        variables.merge(environment) { $1 }
        var request = SpawnRequest(
            path: path, arguments: [path] + arguments,
            environment: variables.map { "\($0)=\($1)" },
            descriptors: [
                (source: inRead.rawValue, target: 0), (source: outWrite.rawValue, target: 1),
                (source: errWrite.rawValue, target: 2),
            ] + descriptors,
            setsListenPID: !descriptors.isEmpty, newSession: false, asSibling: false,
            workingDirectory: nil)
        request.user = user
        unchecked = OutputSchema.covers(path, arguments) ? [] : nil
        handle = try request.spawn()
        output = outRead
        errors = errRead
        input = inWrite
        try Syscall.setNonBlocking(outRead.rawValue, true)
        try Syscall.setNonBlocking(errRead.rawValue, true)
    }

    deinit {
        drain()
        checkOutput()
        if status == nil {
            try? handle.signal(Signals.kill)
            _ = handle.waitForExit(deadline: Syscall.monotonicNanoseconds() + 5_000_000_000)
            _ = try? handle.reap()
        }
    }

    func closeInput() { input = nil }

    /// Writes to the process's standard input.
    func write(_ text: String) throws {
        guard let input else { throw Errno.brokenPipe }
        try Syscall.writeAll(input.rawValue, Array(text.utf8))
    }

    /// Waits until a line that begins with `prefix` has been written to standard output and returns
    /// it.
    ///
    /// Lines are consumed: the next call looks at what comes after.
    func line(_ prefix: String, within seconds: Double = 20) throws -> String {
        try wait(prefix, in: \.outputBuffer, within: seconds)
    }

    /// The same for standard error.
    func errorLine(_ prefix: String, within seconds: Double = 20) throws -> String {
        try wait(prefix, in: \.errorSearch, within: seconds)
    }

    /// Waits for the end and returns the status.
    @discardableResult
    func waitForExit(within seconds: Double = 60) throws -> ExitStatus {
        if let status { return status }
        let deadline = Syscall.monotonicNanoseconds() + UInt64(seconds * 1e9)
        while Syscall.monotonicNanoseconds() < deadline {
            drain()
            if let status = try handle.reap() {
                drain()
                checkOutput()
                self.status = status
                return status
            }
            var watched = [output.rawValue, errors.rawValue]
            if let pidfd = handle.descriptor { watched.append(pidfd.rawValue) }
            _ = try Syscall.poll(watched.map { ($0, Syscall.pollIn) }, timeoutMilliseconds: 200)
        }
        throw TimedOut(
            description:
                "pid \(processID) did not end within \(seconds) s; stdout: \(standardOutput) stderr: \(standardError)"
        )
    }

    /// Stops it, and returns when it has stopped: until then its other threads go on.
    func stop() throws {
        try handle.signal(Signals.stop)
        var info = siginfo_t()
        while waitid(P_PID, id_t(processID), &info, WSTOPPED) != 0 {
            guard errno == EINTR else { throw Errno(rawValue: errno) }
        }
    }

    private var errorSearch: [UInt8] {
        get { Array(errorBuffer[searchedErrors...]) }
        set { searchedErrors = errorBuffer.count - newValue.count }
    }
    private var searchedErrors = 0

    private func wait(
        _ prefix: String, in buffer: ReferenceWritableKeyPath<ChildProcess, [UInt8]>,
        within seconds: Double
    ) throws -> String {
        let deadline = Syscall.monotonicNanoseconds() + UInt64(seconds * 1e9)
        while true {
            drain()
            var bytes = self[keyPath: buffer]
            while let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: bytes[..<end], as: UTF8.self)
                bytes.removeSubrange(...end)
                self[keyPath: buffer] = bytes
                if line.hasPrefix(prefix) { return line }
            }
            guard Syscall.monotonicNanoseconds() < deadline else {
                throw TimedOut(
                    description:
                        "no line '\(prefix)…' within \(seconds) s; stdout: \(standardOutput) stderr: \(standardError)"
                )
            }
            _ = try Syscall.poll(
                [(output.rawValue, Syscall.pollIn), (errors.rawValue, Syscall.pollIn)],
                timeoutMilliseconds: 100)
        }
    }

    private func drain() {
        while let bytes = try? Syscall.read(output.rawValue, count: 65_536), !bytes.isEmpty {
            outputBuffer += bytes
            unchecked? += bytes
        }
        while let bytes = try? Syscall.read(errors.rawValue, count: 65_536), !bytes.isEmpty {
            errorBuffer += bytes
        }
    }

    /// Checks the whole lines: one that is killed may leave a part of a line.
    private func checkOutput() {
        guard let bytes = unchecked, let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else {
            return
        }
        unchecked = Array(bytes[(end + 1)...])
        OutputSchema.expectValid(String(decoding: bytes[..<end], as: UTF8.self))
    }
}
