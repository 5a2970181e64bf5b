// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// A directory of one test: the runtime directory, the output of the server, what its arguments put there.
///
/// It is removed, with everything in it, when the last owner lets go of it.
final class TestDirectory: Sendable {
    let path: String
    var runtime: String { path + "/run" }
    private var outputPath: String { path + "/output" }

    init() throws(TestUpgradeError) {
        let name = "succession-test-" + String(UInt64.random(in: 0 ... .max), radix: 36)
        path = Self.parent + "/" + name
        do {
            try Syscall.makeDirectory(path, mode: 0o700)
        } catch {
            throw .system("cannot create \(path)", error)
        }
        do {
            try Syscall.makeDirectory(runtime, mode: 0o700)
        } catch {
            Self.remove(path)
            throw .system("cannot create \(runtime)", error)
        }
    }

    deinit { Self.remove(path) }

    /// A control socket in it must have a path of at most 107 bytes.
    private static var parent: String {
        guard let path = ProcessEnvironment.value("TMPDIR"), path.hasPrefix("/"),
            path.utf8.count <= 50
        else { return "/tmp" }
        return path
    }

    /// Opens the file to which the server and its successors write.
    func openOutput() throws(Errno) -> OwnedDescriptor {
        try Syscall.open(outputPath, [.writeOnly, .create, .append], mode: 0o600)
    }

    /// What has been written so far: the last mebibyte.
    var output: String {
        guard let file = try? Syscall.open(outputPath, .readOnly),
            let size = try? Syscall.status(of: file.rawValue).size
        else { return "" }
        let start = max(0, size - 1 << 20)
        let bytes = try? Syscall.readAt(file.rawValue, offset: start, count: size - start)
        return String(decoding: bytes ?? [], as: UTF8.self)
    }

    private static func remove(_ path: String) {
        for name in (try? Syscall.listDirectory(path)) ?? [] {
            let entry = path + "/" + name
            // No link is followed.
            if (try? Syscall.linkStatus(entry))?.isDirectory == true {
                remove(entry)
            } else {
                try? Syscall.unlink(entry)
            }
        }
        try? Syscall.removeDirectory(path)
    }
}
