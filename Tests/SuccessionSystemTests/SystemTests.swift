// SPDX-License-Identifier: Apache-2.0

import Glibc
import SuccessionSystem
import SystemPackage
import Testing

/// One after the other, because they count descriptors, lower limits and set signal handlers, which
/// belong to the whole process.
@Suite(.serialized)
enum SystemTests {}

/// The numbers of the descriptors a process has open.
func openDescriptors(of pid: Int32 = ProcessEnvironment.processID) throws -> Set<CInt> {
    let directory = "/proc/\(pid)/fd"
    return Set(
        try Syscall.listDirectory(directory).compactMap { CInt($0) }
            // The descriptor by which the directory itself was read is gone by now.
            .filter { (try? Syscall.linkStatus("\(directory)/\($0)")) != nil })
}

/// How many descriptors of this process name the same file as this one.
///
/// For what a test itself opens: the runtime may open something at any moment.
func openDescriptors(like file: OwnedDescriptor) throws -> Int {
    let identity = try Syscall.status(of: file.rawValue).identity
    return try openDescriptors().count { (try? Syscall.status(of: $0))?.identity == identity }
}

/// A directory that is removed at the end of a test.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/succession-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        for name in (try? Syscall.listDirectory(path)) ?? [] {
            let entry = path + "/" + name
            if (try? Syscall.unlink(entry)) == nil { try? Syscall.removeDirectory(entry) }
        }
        try? Syscall.removeDirectory(path)
    }

    func file(_ name: String, _ content: String, mode: UInt32 = 0o600) throws -> String {
        let path = path + "/" + name
        let file = try Syscall.open(path, [.writeOnly, .create, .truncate], mode: mode)
        try Syscall.writeAll(file.rawValue, Array(content.utf8))
        return path
    }
}

/// The monotonic time some seconds from now.
func deadline(seconds: UInt64) -> UInt64 {
    Syscall.monotonicNanoseconds() + seconds * 1_000_000_000
}
