// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import SystemPackage

/// A program whose execution hangs in execve(2), as on a network file system that does not answer.
///
/// This process holds a lease on the file, so the kernel lets nobody open it before the lease has
/// been given back, or for /proc/sys/fs/lease-break-time (45 s).
final class HangingProgram {
    let path: String
    private let file: OwnedDescriptor
    private static let setLease: CInt = 1_024  // F_SETLEASE
    private static let setSignal: CInt = 10  // F_SETSIG

    /// - Parameter text: the script that runs once execve is let go on.
    init(in directory: String, _ text: String) throws {
        path = directory + "/hanging"
        try Data(text.utf8).write(to: URL(filePath: path))
        guard chmod(path, 0o755) == 0 else { throw Errno(rawValue: errno) }
        file = try Syscall.open(path, [.readOnly])
        // The kernel tells its holder by SIGIO that somebody waits, which would end this process.
        guard fcntl(file.rawValue, Self.setSignal, SIGURG) == 0,
            fcntl(file.rawValue, Self.setLease, CInt(F_WRLCK)) == 0
        else { throw Errno(rawValue: errno) }
    }

    /// Lets execve go on.
    func release() {
        _ = fcntl(file.rawValue, Self.setLease, CInt(F_UNLCK))
        file.close()
    }
}
