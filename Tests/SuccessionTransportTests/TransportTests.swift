// SPDX-License-Identifier: Apache-2.0

import Glibc
import SuccessionSystem
import SuccessionTransport
import SystemPackage
import Testing

/// One after the other: they count descriptors, lower a limit and look at signal handlers, which
/// belong to the whole process.
@Suite(.serialized)
enum TransportTests {}

/// A runtime directory that is removed at the end of a test.
final class TemporaryRuntimeDirectory: Sendable {
    let directory: RuntimeDirectory

    /// - Parameter name: below /tmp; has to be new.
    init(_ name: String = "succession-transport-\(UInt32.random(in: 0 ... .max))") throws {
        directory = RuntimeDirectory(path: "/tmp/" + name)
        try directory.prepare()
    }

    deinit {
        for name in (try? Syscall.listDirectory(path)) ?? [] {
            let entry = path + "/" + name
            if (try? Syscall.unlink(entry)) == nil { try? Syscall.removeDirectory(entry) }
        }
        try? Syscall.removeDirectory(path)
    }

    var path: String { directory.path }

    /// What is in the directory, in alphabetical order.
    func entries() throws -> [String] { try Syscall.listDirectory(path).sorted() }

    func makeFile(_ name: String) throws {
        _ = try Syscall.open(path + "/" + name, [.writeOnly, .create, .exclusive], mode: 0o600)
    }

    /// A socket on which no process listens.
    func makeStaleSocket(_ name: String) throws {
        let socket = try Syscall.openSocket(
            family: .unix, type: .sequencedPacket, nonBlocking: true)
        try Syscall.bind(socket.rawValue, to: .unixPath(path + "/" + name))
    }
}

/// How many descriptors of this process name the same file as this one.
func openDescriptors(like file: OwnedDescriptor) throws -> Int {
    let identity = try Syscall.status(of: file.rawValue).identity
    return try Syscall.listDirectory("/proc/self/fd").compactMap { CInt($0) }
        .count { (try? Syscall.status(of: $0))?.identity == identity }
}

/// The pid of a process that has ended and was waited for; soon no other has it.
func endedProcess() throws -> Int32 {
    let process = try SpawnRequest(path: "/bin/true", arguments: ["true"]).spawn()
    _ = process.waitForExit(deadline: Syscall.monotonicNanoseconds() + 10_000_000_000)
    _ = try process.reap()
    return process.processID
}
