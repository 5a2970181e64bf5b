// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem

/// A pid namespace with a /proc of its own, as a container has it; files and network are the host's.
final class Container {
    let process: ChildProcess

    static let isPossible = ProcessEnvironment.effectiveUserID == 0

    /// Starts process 1.
    init(_ command: [String], environment: [String: String]) throws {
        process = try ChildProcess(
            "/usr/bin/unshare",
            ["--pid", "--fork", "--kill-child", "--mount-proc", "--"] + command,
            environment: environment)
    }

    var isAlive: Bool { process.handle.isAlive() }

    /// The pid of process 1, as it is seen from outside.
    func processOne() throws -> Int32 {
        let path = "/proc/\(process.processID)/task/\(process.processID)/children"
        let text = String(decoding: try Syscall.readFile(path), as: UTF8.self)
        guard let pid = text.split(separator: " ").first.flatMap({ Int32($0) }) else {
            throw ChildProcess.TimedOut(description: "the container has no process 1")
        }
        return pid
    }

    /// Pids of all processes in it but process 1, as they are seen from outside.
    func others() throws -> [Int32] {
        let one = try processOne()
        let namespace = try Syscall.readLink("/proc/\(one)/ns/pid")
        let entries = try FileManager.default.contentsOfDirectory(atPath: "/proc")
        return entries.compactMap(Int32.init).filter { pid in
            pid != one && (try? Syscall.readLink("/proc/\(pid)/ns/pid")) == namespace
                && ProcessStatus.of(pid)?.hasEnded == false
        }.sorted()
    }

    func signal(_ number: CInt) throws {
        try ProcessHandle.open(try processOne()).signal(number)
    }
}
