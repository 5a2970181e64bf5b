// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// What a successor prints to standard error before it is ready.
///
/// A memory file and no pipe: nobody has to read it, it never blocks its writer, and it outlives
/// either side, so that a predecessor killed in the middle does not take a logging successor along
/// by SIGPIPE.
struct CapturedOutput {
    let file: OwnedDescriptor

    init() throws(Errno) {
        file = try MemoryFile.create(name: "succession-stderr", allowSealing: false)
        // Several threads and processes may write; without O_APPEND the predecessor's own reading
        // would move their position.
        try Syscall.setAppend(file.rawValue)
    }

    /// Everything printed so far, at most the last 64 KiB.
    func tail() -> [UInt8] {
        guard let size = try? MemoryFile.size(file.rawValue), size > 0 else { return [] }
        let start = max(0, size - 65_536)
        return (try? Syscall.readAt(file.rawValue, offset: start, count: size - start)) ?? []
    }

    /// The last lines, for an operator.
    func lastLines(_ limit: Int) -> [String] {
        String(decoding: tail(), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: true)
            .suffix(limit).map { String(decoding: $0.utf8.prefix(500), as: UTF8.self) }
    }
}

/// The successor's side of it.
enum StandardErrorRedirection {
    /// Copies what was captured on descriptor 2 to the real standard error and puts that in its
    /// place.
    ///
    /// Lines written by other threads between the copy and the exchange are copied after it.
    static func end(real: OwnedDescriptor) {
        guard let captured = try? OwnedDescriptor.duplicating(2) else {
            try? Syscall.duplicate(real.rawValue, onto: 2)
            return
        }
        withExtendedLifetime(captured) {
            let offset = copy(captured.rawValue, from: 0, to: real.rawValue)
            try? Syscall.duplicate(real.rawValue, onto: 2)
            _ = copy(captured.rawValue, from: offset, to: real.rawValue)
        }
        real.close()
    }

    private static func copy(_ source: CInt, from start: Int, to target: CInt) -> Int {
        var offset = start
        while let bytes = try? Syscall.readAt(source, offset: offset, count: 65_536), !bytes.isEmpty
        {
            // A standard error nobody reads any more is no reason to fail.
            try? Syscall.writeAll(target, bytes)
            offset += bytes.count
        }
        return offset
    }
}
