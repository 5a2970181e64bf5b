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

    /// Everything printed so far; of more than 64 KiB the first 16 and the last 48.
    func text() -> [UInt8] {
        guard let size = try? MemoryFile.size(file.rawValue), size > 0 else { return [] }
        if size <= 65_536 { return bytes(0, size) }
        return bytes(0, 16_384) + Array("\n…\n".utf8) + bytes(size - 49_152, 49_152)
    }

    private func bytes(_ offset: Int, _ count: Int) -> [UInt8] {
        (try? Syscall.readAt(file.rawValue, offset: offset, count: count)) ?? []
    }

    /// The lines that tell an operator why it ended.
    func telltaleLines(_ limit: Int) -> [String] {
        Self.telltale(
            String(decoding: text(), as: UTF8.self)
                .split(separator: "\n", omittingEmptySubsequences: true), limit
        ).map { String(decoding: $0.utf8.prefix(500), as: UTF8.self) }
    }

    /// Of many lines the first and the last: what went wrong is said before a backtrace or after a
    /// log.
    ///
    /// A Swift program says why it ends in a line of its own, between both.
    static func telltale(_ lines: [Substring], _ limit: Int) -> [Substring] {
        guard lines.count > limit, limit >= 4 else { return Array(lines.suffix(limit)) }
        let first = lines.prefix(limit / 2 - 1)
        let last = lines.suffix(limit / 2 - 1)
        let between = lines[first.endIndex..<last.startIndex]
        let fatal = between.first { $0.contains("Fatal error: ") }
        let left = between.count - (fatal == nil ? 0 : 1)
        return first + (fatal.map { [$0] } ?? []) + ["… \(left) lines left out …"] + last
    }
}
